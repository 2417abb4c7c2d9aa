package dev.espalier.runtime.branch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;

/// How many bytes of the host the parameters of a worker may take.
public final class MemoryBudget {
  private static final String PROPERTY = "espalier.memory.bytes";
  private static final long LEAST_BYTES = 256L << 20;

  private MemoryBudget() {}

  /// {@return what the system property `espalier.memory.bytes` says; else twice the largest heap,
  /// which is half of the machine's memory where nobody bounds the heap, at least 256 MiB}
  ///
  /// @throws EspalierException `INVALID_REQUEST` when the property is no number of bytes >= 1
  public static long bytes() {
    String text = System.getProperty(PROPERTY);
    return text == null
        ? Math.max(LEAST_BYTES, 2 * Runtime.getRuntime().maxMemory())
        : parsed(text);
  }

  private static long parsed(String text) {
    try {
      long bytes = Long.parseLong(text.strip());
      if (bytes >= 1) {
        return bytes;
      }
    } catch (NumberFormatException _) {
      // Said below.
    }
    throw new EspalierException(
        ErrorCode.INVALID_REQUEST,
        PROPERTY + " must be a whole number of bytes >= 1 but is " + text);
  }
}
