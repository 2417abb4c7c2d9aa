package dev.espalier.api.model;

import java.util.List;

/// How the workers of a job exchange parameters and updates.
///
/// @param transport one of [#TRANSPORTS]; `auto` is the fastest way that works
/// @param updates one of [#CODES]: how the values of updates are sent
/// @param significance a row is held back while its largest value is below this many times its
///   table's mean; 0 to 100, 0 sends all
/// @param pushEvery clocks whose updates are sent together, 1 to 1000
/// @param fetchEvery clocks for which parameters of dense tables are used once they were read, 1 to
///   1000
/// @param sufficientFactors whether gradients of small batches travel as factors where smaller
/// @param keyCaching whether lists of row numbers that were sent twice are named after that
public record Communication(
    String transport,
    String updates,
    double significance,
    int pushEvery,
    int fetchEvery,
    boolean sufficientFactors,
    boolean keyCaching) {
  public static final List<String> TRANSPORTS = List.of("auto", "socket", "grpc");
  public static final List<String> CODES = List.of("float32", "bfloat16", "float16", "oneBit");
  public static final double MAX_SIGNIFICANCE = 100;
  public static final int MAX_EVERY = 1000;

  /// The fastest way, every update of every clock as it is, and no list of rows more than twice.
  public static final Communication PLAIN =
      new Communication("auto", "float32", 0, 1, 1, false, true);

  public Communication {
    requireOneOf("transport", transport, TRANSPORTS);
    requireOneOf("updates", updates, CODES);
    if (!(significance >= 0 && significance <= MAX_SIGNIFICANCE)) {
      throw new IllegalArgumentException(
          "significance must lie in [0, 100] but is " + significance);
    }
    requireEvery("pushEvery", pushEvery);
    requireEvery("fetchEvery", fetchEvery);
  }

  private static void requireOneOf(String name, String value, List<String> choices) {
    if (!choices.contains(value)) {
      throw new IllegalArgumentException(name + " must be one of " + choices + " but is " + value);
    }
  }

  private static void requireEvery(String name, int value) {
    if (value < 1 || value > MAX_EVERY) {
      throw new IllegalArgumentException(name + " must lie in [1, 1000] but is " + value);
    }
  }
}
