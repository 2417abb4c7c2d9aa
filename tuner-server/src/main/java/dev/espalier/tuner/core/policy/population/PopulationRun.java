package dev.espalier.tuner.core.policy.population;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.population.Run;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// One run of a population: what its planner sees of it, and the branch that trains it.
///
/// The branch may be behind what is known of the run, after workers were lost; it catches up when
/// it is trained on.
final class PopulationRun {
  private final int number;
  private final int member;
  private final Setting searched;
  private final Optional<PopulationRun> source;
  private final double startEpochs;
  private final List<Run.Result> results = new ArrayList<>();
  private long startClock;
  private @Nullable Branch branch;
  private boolean isLost;
  private boolean hasDiverged;
  private boolean isGivenUp;
  private boolean isRetired;
  private long evaluatedClock = -1;

  /// @param source the run it is a copy of; empty for one from the start
  PopulationRun(int number, int member, Setting searched, Optional<PopulationRun> source) {
    this.number = number;
    this.member = member;
    this.searched = searched;
    this.source = source;
    this.startEpochs = source.map(PopulationRun::knownEpochs).orElse(0.0);
  }

  int number() {
    return number;
  }

  String inWords() {
    Branch held = branch;
    return held == null ? "run " + number : Words.onBranch("run " + number, held);
  }

  int member() {
    return member;
  }

  Setting searched() {
    return searched;
  }

  Optional<PopulationRun> source() {
    return source;
  }

  /// {@return the run with its results so far, as planners see it; one that was given up is no more
  /// to them than one that diverged}
  Run view() {
    return new Run(number, member, searched, startEpochs, results, hasDiverged || isGivenUp);
  }

  /// {@return the runs whose work this one continues, the oldest first, and itself}
  List<PopulationRun> lineage() {
    var lineage = new ArrayList<PopulationRun>();
    source.ifPresent(earlier -> lineage.addAll(earlier.lineage()));
    lineage.add(this);
    return lineage;
  }

  /// {@return branch seconds of its own and of its ancestors up to where they were copied}
  double lineageSeconds() {
    double seconds = 0;
    Optional<PopulationRun> later = Optional.empty();
    for (PopulationRun part : lineage().reversed()) {
      Branch held = part.branch;
      if (held != null && held.clocks() > 0) {
        long clocks = later.map(next -> next.startClock - part.startClock).orElse(held.clocks());
        seconds += clocks * held.secondsPerClock();
      }
      later = Optional.of(part);
    }
    return seconds;
  }

  /// {@return own and ancestors' clocks before its first one}
  long startClock() {
    return startClock;
  }

  double startEpochs() {
    return startEpochs;
  }

  /// {@return the branch that holds its state, or held it last; empty before it began}
  Optional<Branch> branch() {
    return Optional.ofNullable(branch);
  }

  boolean isHeld() {
    return branch != null && branch.isAlive() && !isLost;
  }

  /// Takes a branch that stands where the run begins.
  void beginOn(Branch first) {
    branch = first;
    startClock = first.forkClock();
  }

  /// Takes another branch after workers were lost.
  void resumeOn(Branch next) {
    branch().ifPresent(next::standsFor);
    branch = next;
    isLost = false;
    startClock = Math.min(startClock, next.forkClock());
    evaluatedClock = -1;
  }

  /// Says that the workers that held its branch are gone.
  void lose() {
    isLost = true;
  }

  void diverge() {
    hasDiverged = true;
  }

  boolean hasDiverged() {
    return hasDiverged;
  }

  void giveUp() {
    isGivenUp = true;
  }

  void retire() {
    isRetired = true;
  }

  boolean isRetired() {
    return isRetired;
  }

  /// {@return passes over the data up to the last result}
  double knownEpochs() {
    return results.isEmpty() ? startEpochs : results.getLast().epochs();
  }

  int evaluations() {
    return results.size();
  }

  void add(Run.Result result, long clock) {
    results.add(result);
    evaluatedClock = clock;
  }

  /// {@return whether there is no result yet for where `at` stands}
  boolean isNewAt(Branch at) {
    return at.mainlineClock() != evaluatedClock && at.epochs() > knownEpochs() + Run.ROUNDING;
  }
}
