package dev.espalier.nn.host;

/// Matrix products of floats.
///
/// Each entry is the sum over k in order, every term added by a fused multiply-add; so all
/// implementations give the same bits on every machine. Not safe for use by several threads.
interface Gemm {
  /// Computes `c += a b`.
  ///
  /// @param a m x k; rows may overlap
  /// @param b k x n
  /// @param c m x n with column stride 1, disjoint from the others
  /// @throws IllegalArgumentException when the shapes do not fit
  void addProduct(Matrix a, Matrix b, Matrix c);

  /// {@return the fastest that this JVM can run}
  static Gemm best() {
    // The class is named in a text, so that a JVM without the incubator module never loads it.
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return new PlainGemm();
    }
    try {
      return (Gemm)
          Class.forName("dev.espalier.nn.host.VectorGemm").getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException failure) {
      throw new IllegalStateException("the vector kernel does not load", failure);
    }
  }

  /// Checks the shapes of a product.
  static void requireFit(Matrix a, Matrix b, Matrix c) {
    if (a.columns() != b.rows() || a.rows() != c.rows() || b.columns() != c.columns()) {
      throw new IllegalArgumentException(
          "need (m x k)(k x n) = (m x n) but got (%d x %d)(%d x %d) = (%d x %d)"
              .formatted(a.rows(), a.columns(), b.rows(), b.columns(), c.rows(), c.columns()));
    }
  }
}
