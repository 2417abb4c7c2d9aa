package dev.espalier.api.rest;

/// Numbers as people write them.
final class NumberText {
  private NumberText() {}

  /// {@return the shortest text that reads back as `value`; without `.0` for whole numbers}
  static String of(double value) {
    if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      return Long.toString((long) value);
    }
    return Double.toString(value);
  }
}
