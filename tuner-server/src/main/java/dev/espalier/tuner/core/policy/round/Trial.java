package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.search.Observation;
import java.util.Optional;

/// One setting that a round tries, on a branch of its own.
final class Trial {
  private final int number;
  private final Branch branch;
  private final Setting searched;
  private Optional<ProgressSummary> summary = Optional.empty();
  private int piecesLeft;

  /// @param number from 1, in the order of proposals
  /// @param searched values of the searched tunables
  Trial(int number, Branch branch, Setting searched) {
    this.number = number;
    this.branch = branch;
    this.searched = searched;
  }

  int number() {
    return number;
  }

  Branch branch() {
    return branch;
  }

  Setting searched() {
    return searched;
  }

  boolean isOpen() {
    return branch.isAlive();
  }

  Optional<ProgressSummary> summary() {
    return summary;
  }

  void judge(ProgressSummary verdict) {
    summary = Optional.of(verdict);
  }

  String inWords() {
    return Words.onBranch("trial " + number, branch);
  }

  double speed() {
    return summary.map(ProgressSummary::speed).orElse(0.0);
  }

  boolean is(Verdict verdict) {
    return summary.filter(known -> known.verdict() == verdict).isPresent();
  }

  Optional<Observation> observation() {
    return summary.map(known -> new Observation(searched, known.speed(), known.verdict()));
  }

  /// Begins an extension: a new branch runs a first piece to learn its pace, then the rest.
  void beginRun() {
    piecesLeft = branch.clocks() == 0 ? 2 : 1;
  }

  /// {@return whether one more piece may be scheduled in this extension}
  boolean takePiece() {
    return piecesLeft-- > 0;
  }
}
