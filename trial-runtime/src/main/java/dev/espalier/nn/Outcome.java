package dev.espalier.nn;

/// What a pass over a batch came to.
///
/// @param lossSum sum of the cross-entropies of all judged positions in nats; NaN or infinite when
///   values overflowed
/// @param correct judged positions whose class got the largest score, and a finite one
/// @param judged judged positions
/// @param penalty what the weight decay added to the objective; 0 for a prediction
public record Outcome(double lossSum, int correct, int judged, double penalty) {
  /// Nothing at all.
  public static final Outcome NONE = new Outcome(0, 0, 0, 0);

  /// {@return both together}
  public Outcome plus(Outcome other) {
    return new Outcome(
        lossSum + other.lossSum,
        correct + other.correct,
        judged + other.judged,
        penalty + other.penalty);
  }

  /// {@return the share of judged positions that were correct; 0 when none was judged}
  public double accuracy() {
    return judged == 0 ? 0 : (double) correct / judged;
  }

  /// {@return mean cross-entropy in nats; 0 when none was judged}
  public double meanLoss() {
    return judged == 0 ? 0 : lossSum / judged;
  }
}
