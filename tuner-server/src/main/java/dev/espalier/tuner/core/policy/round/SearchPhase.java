package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.BranchState;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.search.StopRule;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Tries settings for the fixed trial time and keeps the fastest, whatever its verdict: the speed
/// is charged with the noise already (MLtuner, sections 3.3 and 4.3).
///
/// Alive at most are the parent, the best and the current trial.
final class SearchPhase implements RoundPhase {
  private static final String RULE = "mltuner.fastest-trial";

  private final RoundDesk desk;
  private final StopRule stopRule;
  private final BiConsumer<Trial, String> next;
  private Trial best;
  private @Nullable Trial current;

  /// @param next takes the winner, and why the search stopped
  SearchPhase(RoundDesk desk, Trial best, BiConsumer<Trial, String> next) {
    this.desk = desk;
    this.best = best;
    this.next = next;
    var options = desk.board().plan().options();
    this.stopRule = new StopRule(options.stopBest(), options.stopWithin());
  }

  @Override
  public void begin() {
    desk.enter("searching");
    tryNext();
  }

  private void tryNext() {
    Optional<String> stop = reasonToStop();
    if (stop.isPresent()) {
      stop(stop.get());
      return;
    }
    Optional<Trial> trial = desk.tryNext();
    if (trial.isEmpty()) {
      stop("the searcher has nothing left to try");
      return;
    }
    current = trial.get();
    desk.beginRun(trial.get());
  }

  private Optional<String> reasonToStop() {
    if (desk.board().isTimeUp()) {
      return Optional.of("the time is up");
    }
    if (desk.trials().size() >= desk.plan().maxTrials()) {
      return Optional.of("all " + Words.count(desk.plan().maxTrials(), "trial") + " are used");
    }
    if (stopRule.isMet(desk.observations())) {
      return Optional.of(
          "the "
              + stopRule.best()
              + " best speeds lie within "
              + Words.number(100 * stopRule.within())
              + "%");
    }
    return Optional.empty();
  }

  private void stop(String why) {
    current = null;
    desk.decide(
        "search-stop",
        "mltuner.search-stop",
        "The search stops: " + why,
        Evidence.of()
            .with("spread", stopRule.spread(desk.observations()))
            .with("stopBest", stopRule.best())
            .with("stopWithin", stopRule.within())
            .with("trials", desk.trials().size())
            .with("maxTrials", desk.plan().maxTrials()));
    next.accept(best, why);
  }

  @Override
  public void clockReported(Branch branch) {
    Trial trial = current;
    if (trial == null || !trial.branch().equals(branch)) {
      return;
    }
    boolean overflowed = branch.trace().hasOverflowed();
    if (overflowed || (branch.isAtRest() && !desk.schedulePiece(trial))) {
      desk.judge(trial);
      compare(trial);
      tryNext();
    }
  }

  @Override
  public Optional<String> reasonToHold(Trial trial) {
    return trial == best
        ? Optional.of("it is the fastest so far; keep another one instead")
        : Optional.empty();
  }

  @Override
  public void givenUp(Trial trial) {
    if (trial == current) {
      tryNext();
    }
  }

  private void compare(Trial trial) {
    if (!trial.isOpen()) {
      return;
    }
    if (trial.speed() > best.speed()) {
      desk.settle(trial, RULE, "is faster than " + best.inWords() + ", the best so far");
      desk.board().free(best.branch(), BranchState.DISCARDED);
      best = trial;
    } else {
      desk.drop(trial, RULE, "is not faster than " + best.inWords() + ", the best so far");
    }
  }
}
