package dev.espalier.tuner.core.policy.race;

import dev.espalier.tuner.core.policy.board.Branch;
import java.util.List;
import java.util.Optional;

/// One branch of a race.
///
/// Written by its race alone.
public final class Entrant {
  private final int number;
  private final Branch branch;
  private final Optional<Move> move;
  private List<Double> losses = List.of();
  private List<Double> lossesBefore = List.of();
  private double secondsBefore;
  private double seconds;
  private boolean isOut;

  /// @param number from 0; 0 is the incumbent
  /// @param move what it does differently; empty for the incumbent
  Entrant(int number, Branch branch, Optional<Move> move) {
    this.number = number;
    this.branch = branch;
    this.move = move;
  }

  int number() {
    return number;
  }

  /// {@return the branch that runs it}
  public Branch branch() {
    return branch;
  }

  /// {@return what it does differently; empty for the incumbent}
  public Optional<Move> move() {
    return move;
  }

  boolean isIncumbent() {
    return move.isEmpty();
  }

  boolean isOut() {
    return isOut;
  }

  void leave() {
    isOut = true;
  }

  /// {@return its losses on the held-out blocks when it was probed last}
  List<Double> losses() {
    return losses;
  }

  void probed(List<Double> blocks) {
    lossesBefore = losses;
    secondsBefore = seconds;
    losses = blocks;
    seconds = branch.seconds();
    branch.probed(loss());
  }

  /// Takes the last probe back: the others were not probed as late.
  void rewind() {
    losses = lossesBefore;
    seconds = secondsBefore;
    lossesBefore = List.of();
    secondsBefore = 0;
  }

  /// {@return its losses on the blocks after `horizonSeconds` in all, as its last two probes let
  /// expect; those of the last probe where there is no second one}
  List<Double> forecast(double horizonSeconds) {
    return Trend.at(horizonSeconds, secondsBefore, lossesBefore, seconds, losses);
  }

  /// {@return mean loss of the last probe; NaN before the first and after an overflow}
  double loss() {
    return mean(losses);
  }

  /// {@return the mean of losses; NaN of none}
  static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  /// {@return how far a constant gradient would take it in a second: rate / (1 - momentum), for
  /// each clock}
  double stepsPerSecond() {
    return Move.reachOf(branch.setting()) / branch.secondsPerClock();
  }

  String inWords() {
    return isIncumbent() ? "the incumbent" : "entrant " + number;
  }
}
