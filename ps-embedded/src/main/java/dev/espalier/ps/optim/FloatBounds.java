package dev.espalier.ps.optim;

/// Bounds of the constants of rules, which must also hold for the floats that kernels calculate
/// with.
final class FloatBounds {
  private FloatBounds() {}

  /// Checks for `[0, 1)`.
  static void requireFraction(String name, double value) {
    require(value >= 0 && (float) value < 1, name, "in [0, 1)", value);
  }

  /// Checks for `> 0` and finite.
  static void requirePositive(String name, double value) {
    require((float) value > 0 && (float) value <= Float.MAX_VALUE, name, "> 0 and finite", value);
  }

  /// Checks for `>= 0` and finite.
  static void requireNotNegative(String name, double value) {
    require(value >= 0 && (float) value <= Float.MAX_VALUE, name, ">= 0 and finite", value);
  }

  private static void require(boolean holds, String name, String bound, double value) {
    if (!holds) {
      float rounded = (float) value;
      throw new IllegalArgumentException(
          "%s must be %s but is %s".formatted(name, bound, value)
              + (rounded == value || Float.isNaN(rounded) ? "" : ", as a float " + rounded));
    }
  }
}
