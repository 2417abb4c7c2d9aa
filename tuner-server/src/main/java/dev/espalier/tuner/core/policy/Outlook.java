package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.RacingOptions;

/// What the validation results say about going on.
///
/// A model that overfits does not come back by itself. Once its results have been worse than its
/// own best in a row, or one is far worse, it is taken back to its best state and goes on calmly
/// (early stopping, Prechelt 1998, and a rate that falls on a plateau, in one). Where that does not
/// help either, and training to the best took a small part of the time so far, a new start with a
/// calmer rate costs less than what was spent in vain: adaptive rules remember in their
/// accumulators, and embeddings in their rows, what was learned too fast, and a smaller rate does
/// not undo it.
final class Outlook {
  /// What to do next.
  enum Verdict {
    GO_ON,
    /// Back to the best state, with a calmer rate.
    RETREAT,
    /// From the untrained model, with a calmer rate.
    RESTART
  }

  private static final int WORSE_IN_A_ROW = 2;
  private static final int MAX_RETREATS = 1;

  private final RacingOptions options;
  private final Goal goal;
  private double best = Double.NaN;
  private double bestTookSeconds;
  private double lineBest = Double.NaN;
  private double lineBeganAt;
  private int worseInARow;
  private int retreats;
  private int restarts;
  private boolean hasOverfit;
  private boolean isFar;

  Outlook(RacingOptions options, Goal goal) {
    this.options = options;
    this.goal = goal;
  }

  /// Takes a validation result in.
  ///
  /// @param value NaN when it could not be computed, which is far worse than all others
  /// @param range how far apart the best and the worst result of the job are
  /// @param spentSeconds all seconds of the job so far
  void validated(double value, double range, double spentSeconds) {
    boolean isLineBest =
        !Double.isNaN(value) && (Double.isNaN(lineBest) || goal.isBetter(value, lineBest));
    if (isLineBest) {
      lineBest = value;
      worseInARow = 0;
      isFar = false;
    } else {
      worseInARow++;
      isFar = Double.isNaN(value) || Math.abs(value - lineBest) > options.overfit() * range;
      hasOverfit |= isFar;
    }
    if (isLineBest && (Double.isNaN(best) || goal.isBetter(value, best))) {
      best = value;
      bestTookSeconds = spentSeconds - lineBeganAt;
      retreats = 0;
    }
  }

  /// {@return what is next}
  ///
  /// @param spentSeconds all seconds of the job so far
  /// @param leftSeconds what the bounds of the job still allow
  /// @param isConverged whether the best is too old to hope for a better one
  Verdict verdict(double spentSeconds, double leftSeconds, boolean isConverged) {
    boolean isWorse = worseInARow >= WORSE_IN_A_ROW || isFar;
    if (isWorse && retreats < MAX_RETREATS) {
      return Verdict.RETREAT;
    }
    boolean isOverfit = isWorse || (isConverged && hasOverfit);
    boolean isCheap =
        bestTookSeconds < options.restartShare() * spentSeconds && bestTookSeconds < leftSeconds;
    return isOverfit && isCheap && restarts < options.restarts() ? Verdict.RESTART : Verdict.GO_ON;
  }

  void retreated() {
    retreats++;
    worseInARow = 0;
    isFar = false;
    lineBest = best;
  }

  void restarted(double spentSeconds) {
    restarts++;
    retreats = 0;
    newLine(spentSeconds);
  }

  /// {@return how often it began anew}
  int restarts() {
    return restarts;
  }

  /// The model is another one now, such as that of a checkpoint: it is judged by its own results.
  void newLine(double spentSeconds) {
    worseInARow = 0;
    isFar = false;
    lineBest = Double.NaN;
    lineBeganAt = spentSeconds;
  }
}
