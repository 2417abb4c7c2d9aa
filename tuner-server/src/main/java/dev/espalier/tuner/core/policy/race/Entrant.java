package dev.espalier.tuner.core.policy.race;

import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// One branch of a race.
///
/// Written by its race alone.
public final class Entrant {
  private final int number;
  private final Branch branch;
  private final Optional<Move> move;
  private final List<Probe> probes = new ArrayList<>();
  private boolean isOut;

  /// Its losses, and scores where there are some, on the blocks that judge when it had run for
  /// `seconds`.
  private record Probe(double seconds, List<Double> losses, List<Double> scores) {
    static final Probe NONE = new Probe(0, List.of(), List.of());
  }

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

  /// {@return its losses on the blocks that judge when it was probed last}
  List<Double> losses() {
    return probe(1).losses();
  }

  /// {@return its losses on the blocks that judge when it was probed the time before that; empty
  /// where it was not}
  List<Double> lossesBefore() {
    return probe(2).losses();
  }

  /// {@return the program's first metric on these blocks, as a loss, when it was probed last; empty
  /// where the losses are of that metric, or it was not measured}
  List<Double> scores() {
    return probe(1).scores();
  }

  private Probe probe(int fromEnd) {
    int index = probes.size() - fromEnd;
    return index < 0 ? Probe.NONE : probes.get(index);
  }

  void probed(SessionEvent.Evaluated probe) {
    probes.add(new Probe(branch.seconds(), probe.losses(), probe.scores()));
    branch.probed(loss(), probe.metrics().keySet().stream().findFirst());
  }

  /// Takes the last probe back: the others were not probed as late.
  void rewind() {
    probes.removeLast();
  }

  /// {@return its losses on the blocks after `horizonSeconds` in all, as its last two probes let
  /// expect; those of the last probe where there is no second one}
  List<Double> forecast(double horizonSeconds) {
    Probe before = probe(2);
    Probe last = probe(1);
    return Trend.at(
        horizonSeconds, before.seconds(), before.losses(), last.seconds(), last.losses());
  }

  /// {@return mean loss of the last probe; NaN before the first and after an overflow}
  double loss() {
    return mean(losses());
  }

  /// {@return the mean of losses; NaN of none}
  static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  String inWords() {
    return Words.onBranch(isIncumbent() ? "the incumbent" : "entrant " + number, branch);
  }
}
