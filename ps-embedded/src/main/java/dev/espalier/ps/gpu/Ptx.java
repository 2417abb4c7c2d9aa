package dev.espalier.ps.gpu;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/// The kernels as compiled: text for any device of compute capability 8.0 or newer, which the
/// driver translates when it loads them.
///
/// The text is kept beside its source, `src/main/cuda`, so that neither a build nor a run needs a
/// compiler; its first line carries the hash of the source that it was made of.
final class Ptx {
  /// What the first line says before the hash.
  static final String HASH_MARK = "// sha256 of the source: ";

  private static final String RESOURCE = "espalier.ptx";

  private Ptx() {}

  static byte[] kernels() {
    return read(Ptx.class, RESOURCE);
  }

  static byte[] read(Class<?> beside, String resource) {
    try (InputStream in = beside.getResourceAsStream(resource)) {
      if (in == null) {
        throw new IllegalStateException(
            "resource must be on the class path but is not: " + resource);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
