package dev.espalier.tuner.core.progress;

/// Traces for tests.
final class Traces {
  private Traces() {}

  static ProgressTrace of(double clockSeconds, double... losses) {
    var trace = new ProgressTrace();
    for (double loss : losses) {
      trace.append(clockSeconds, loss);
    }
    return trace;
  }
}
