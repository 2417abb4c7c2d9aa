package dev.espalier.bench;

/// One figure beside another one from the same run that says whether it is good.
///
/// @param value in `unit`; NaN when it could not be measured
/// @param unit of both values
/// @param reference what the value is compared to
record Measurement(
    String name, double value, String unit, String reference, double referenceValue) {
  /// {@return value over reference}
  double ratio() {
    return value / referenceValue;
  }
}
