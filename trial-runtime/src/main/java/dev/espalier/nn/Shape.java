package dev.espalier.nn;

/// How the values of one sample are laid out: row by row, position by position, channels last.
///
/// A plain vector is `1 x 1 x n`; a sequence of T vectors is `1 x T x n`.
///
/// @param height rows, >= 1
/// @param width positions in a row, >= 1
/// @param channels values at a position, >= 1
public record Shape(int height, int width, int channels) {
  public Shape {
    if (height < 1 || width < 1 || channels < 1) {
      throw new IllegalArgumentException(
          "each side of a shape must be >= 1 but it is "
              + height
              + " x "
              + width
              + " x "
              + channels);
    }
  }

  /// The shape of a vector.
  public static Shape vector(int values) {
    return new Shape(1, 1, values);
  }

  /// {@return positions of a sample}
  public int positions() {
    return Math.multiplyExact(height, width);
  }

  /// {@return values of a sample}
  public int size() {
    return Math.multiplyExact(positions(), channels);
  }

  @Override
  public String toString() {
    return height + " x " + width + " x " + channels;
  }
}
