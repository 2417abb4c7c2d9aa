package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.RacingOptions;
import dev.espalier.tuner.core.policy.job.History;
import java.util.Optional;

/// What the validation results say about going on.
///
/// A model that overfits does not come back by itself. Once its results have been worse than its
/// own best in a row, or one is far worse, it is taken back to its best state and goes on calmly
/// (early stopping, Prechelt 1998, and a rate that falls on a plateau, in one). Where it gets worse
/// from there, too, and training to the best took a small part of the time so far, a new start with
/// another setting costs less than what was spent in vain: adaptive rules remember in their
/// accumulators, and embeddings in their rows, what was learned too fast, and a smaller rate does
/// not undo it. From then on a run that is past its best makes room for the next one at once.
///
/// An accuracy on few samples falls by chance, too. Where the loss on the same samples is better
/// than it was at the best accuracy, the model has not overfit, and such a fall counts for nothing.
final class Outlook {
  /// What to do next.
  enum Verdict {
    GO_ON,
    /// Back to the best state, with a calmer rate.
    RETREAT,
    /// From the untrained model, with another setting.
    RESTART
  }

  private static final int WORSE_IN_A_ROW = 2;
  private static final int MAX_RETREATS = 1;

  /// A new start is given up when it took this many times what the best did and is not better: a
  /// rate that is a third as large takes at most three times as long.
  private static final double SLOWEST = 4;

  private final RacingOptions options;
  private final History history;
  private Optional<History.Entry> best = Optional.empty();
  private double bestTookSeconds;

  /// The best when the model was first taken back to it, and what training to it took. A small gain
  /// on the way from there does not make a new start dearer; a large one does.
  private double overfitAt = Double.NaN;

  private double overfitAtSeconds = Double.POSITIVE_INFINITY;

  private Optional<History.Entry> lineBest = Optional.empty();
  private double lineBeganAt;
  private int worseInARow;
  private int retreats;
  private int restarts;
  private boolean hasOverfit;
  private boolean isFar;
  private boolean isNewStart;
  private boolean hasRetreated;

  /// @param history knows which of two results is better
  Outlook(RacingOptions options, History history) {
    this.options = options;
    this.history = history;
  }

  /// Takes a validation result in.
  ///
  /// @param result whose value is NaN when it could not be computed, which is far worse than all
  ///   numbers before it
  /// @param range how far apart the best and the worst result of the job are; infinite while that
  ///   is not known
  /// @param spentSeconds all seconds of the job so far
  void validated(History.Entry result, double range, double spentSeconds) {
    boolean isLineBest = isBetter(result, lineBest);
    if (isLineBest) {
      lineBest = Optional.of(result);
      worseInARow = 0;
      isFar = false;
    } else {
      boolean isWorse = isWorse(result);
      worseInARow = isWorse ? worseInARow + 1 : 0;
      isFar = isWorse && isFar(result, range);
      hasOverfit |= isFar;
    }
    if (isLineBest && isBetter(result, best)) {
      best = Optional.of(result);
      bestTookSeconds = age(spentSeconds);
      retreats = 0;
      if (Math.abs(result.value() - overfitAt) > options.overfit() * range) {
        overfitAtSeconds = Double.POSITIVE_INFINITY;
      }
    }
  }

  private boolean isBetter(History.Entry result, Optional<History.Entry> than) {
    return !Double.isNaN(result.value())
        && than.map(before -> history.isBetter(result, before)).orElse(true);
  }

  /// Accuracies on few samples are often equal, which says nothing against the later one.
  private boolean isWorse(History.Entry result) {
    return lineBest
        .map(known ->
            Double.isNaN(result.value())
                || (result.value() != known.value() && !(result.loss() < known.loss())))
        .orElse(true);
  }

  /// Takes in a result that was undone together with the setting it is due to: how it came about
  /// says nothing about the present model, but that the job can overfit does.
  void refuted(History.Entry result, double range) {
    hasOverfit |= isFar(result, range);
  }

  private boolean isFar(History.Entry result, double range) {
    return lineBest
        .map(known ->
            Double.isNaN(result.value())
                || Math.abs(result.value() - known.value()) > options.overfit() * range)
        .orElse(false);
  }

  /// {@return what is next}
  ///
  /// @param spentSeconds all seconds of the job so far
  /// @param leftSeconds what the bounds of the job still allow
  /// @param isConverged whether the best is too old to hope for a better one
  Verdict verdict(double spentSeconds, double leftSeconds, boolean isConverged) {
    boolean isOver = isWorse() || isTooSlow(spentSeconds) || (isConverged && hasOverfit);
    double took = tookSeconds();
    boolean isCheap = took < options.restartShare() * spentSeconds && took < leftSeconds;
    boolean mayRestart = isOver && isCheap && restarts < options.restarts();
    if (mayRestart && (isNewStart || hasRetreated || !isWorse())) {
      return Verdict.RESTART;
    }
    return mayRetreat() ? Verdict.RETREAT : Verdict.GO_ON;
  }

  /// {@return whether the last result is so far from the best of its path that it says nothing of
  /// how far results usually lie apart}
  boolean isFar() {
    return isFar;
  }

  private boolean isWorse() {
    return worseInARow >= WORSE_IN_A_ROW || isFar;
  }

  /// {@return whether going back to the best state was not tried since it is the best}
  boolean mayRetreat() {
    return isWorse() && retreats < MAX_RETREATS;
  }

  private boolean isTooSlow(double spentSeconds) {
    return isNewStart && !isAtBest() && age(spentSeconds) > SLOWEST * bestTookSeconds;
  }

  private boolean isAtBest() {
    return lineBest.map(History.Entry::value).equals(best.map(History.Entry::value));
  }

  void retreated() {
    if (Double.isInfinite(overfitAtSeconds)) {
      overfitAt = best.map(History.Entry::value).orElse(Double.NaN);
      overfitAtSeconds = bestTookSeconds;
    }
    retreats++;
    hasRetreated = true;
    isNewStart = false;
    worseInARow = 0;
    isFar = false;
    lineBest = best;
  }

  /// The best state is not there any more.
  void couldNotRetreat() {
    retreats++;
    worseInARow = 0;
    isFar = false;
  }

  void restarted(double spentSeconds) {
    restarts++;
    hasRetreated = false;
    isNewStart = true;
    newLine(spentSeconds);
  }

  /// {@return whether the model is one that began anew, because the one before had overfit}
  boolean isNewStart() {
    return isNewStart;
  }

  /// {@return seconds of the job since the present model was untrained, or a person went back to
  /// it}
  double age(double spentSeconds) {
    return spentSeconds - lineBeganAt;
  }

  /// {@return how many times what is left holds what training to the best took; infinite before
  /// there is a best}
  double bestsIn(double leftSeconds) {
    return leftSeconds / tookSeconds();
  }

  private double tookSeconds() {
    return Math.min(bestTookSeconds, overfitAtSeconds);
  }

  /// Workers were lost, and with them what came after a checkpoint.
  ///
  /// @param known the best result up to it; empty for none
  void resumed(Optional<History.Entry> known) {
    worseInARow = 0;
    isFar = false;
    lineBest = isNewStart ? Optional.empty() : known;
  }

  /// A person went back: what was chosen is no new start, and is judged by its own results.
  void wentBack(double spentSeconds) {
    isNewStart = false;
    hasRetreated = false;
    newLine(spentSeconds);
  }

  private void newLine(double spentSeconds) {
    overfitAtSeconds = Double.POSITIVE_INFINITY;
    worseInARow = 0;
    isFar = false;
    lineBest = Optional.empty();
    lineBeganAt = spentSeconds;
  }
}
