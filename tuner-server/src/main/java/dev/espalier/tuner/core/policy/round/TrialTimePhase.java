package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.Verdict;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/*
 * MLtuner, section 4.2, Algorithm 1:
 *
 *   repeat
 *     fork one more trial, if the searcher has a setting
 *     run every trial for the trial time less what it has run
 *     drop diverged trials
 *     if some trial is converging: keep the fastest of them, free all others, done
 *     double the trial time
 *
 * No trial runs longer than an epoch. One that did and is not converging is freed, unless it is the
 * fastest of the unstable. When nothing can be extended and no setting is left, the fastest unstable
 * one with a speed above zero is taken; without one nothing learns.
 */

/// Finds the shortest trial time that tells a converging setting from noise.
final class TrialTimePhase implements RoundPhase {
  private static final String RULE = "mltuner.trial-time";

  /// What comes after.
  interface Next {
    /// The trial time is decided; `best` is the fastest converging trial.
    void search(Trial best);

    /// Nothing is left to try; `best` is an unstable trial or nobody.
    void giveUp(Optional<Trial> best, String why);
  }

  private final RoundDesk desk;
  private final Next next;
  private final Deque<Trial> waiting = new ArrayDeque<>();
  private @Nullable Trial current;
  private int loops;

  TrialTimePhase(RoundDesk desk, Next next) {
    this.desk = desk;
    this.next = next;
  }

  @Override
  public void begin() {
    desk.enter("trial-time");
    loop();
  }

  private void loop() {
    loops++;
    desk.tryNext();
    desk.trials().stream()
        .filter(trial -> trial.isOpen() && !desk.isAtBound(trial))
        .forEach(waiting::add);
    if (waiting.isEmpty()) {
      giveUp("no trial converged within an epoch");
    } else {
      runNext();
    }
  }

  private void runNext() {
    while (!waiting.isEmpty()) {
      current = waiting.removeFirst();
      if (desk.beginRun(current)) {
        return;
      }
    }
    current = null;
    judgeAll();
  }

  @Override
  public void clockReported(Branch branch) {
    Trial trial = current;
    if (trial == null || !trial.branch().equals(branch)) {
      return;
    }
    if (branch.trace().hasOverflowed()) {
      desk.fixTrialSeconds(branch);
      desk.judge(trial);
      runFinished();
    } else if (branch.isAtRest() && !desk.schedulePiece(trial)) {
      runFinished();
    }
  }

  @Override
  public Optional<String> reasonToHold(Trial trial) {
    return Optional.empty();
  }

  @Override
  public void givenUp(Trial trial) {
    waiting.remove(trial);
    if (trial == current) {
      runFinished();
    }
  }

  private void runFinished() {
    if (desk.board().isTimeUp()) {
      open(_ -> true).forEach(desk::judge);
      giveUp("the time is up");
    } else {
      runNext();
    }
  }

  private void judgeAll() {
    open(_ -> true).forEach(desk::judge);
    Optional<Trial> best = fastest(open(trial -> trial.is(Verdict.CONVERGING)));
    if (best.isPresent()) {
      decide(best.get());
      return;
    }
    dropWhatRanAnEpoch();
    desk.doubleTrialSeconds();
    loop();
  }

  private void decide(Trial best) {
    for (Trial trial : open(trial -> trial != best)) {
      desk.drop(trial, RULE, "is freed: " + best.inWords() + " converges faster");
    }
    desk.settle(best, RULE, "is the fastest that converges");
    desk.decide(
        "trial-time",
        RULE,
        "A trial time of " + Words.number(desk.trialSeconds()) + " s tells settings apart",
        Evidence.of()
            .with("trialSeconds", desk.trialSeconds())
            .with("loops", loops)
            .with("startingLoss", desk.startingLoss())
            .with("trials", desk.scores()));
    next.search(best);
  }

  private void dropWhatRanAnEpoch() {
    Optional<Trial> bestUnstable = fastest(open(trial -> trial.speed() > 0));
    for (Trial trial : open(desk::isAtBound)) {
      if (bestUnstable.filter(best -> best == trial).isEmpty()) {
        desk.drop(trial, "mltuner.epoch-bound", "did not converge within an epoch");
      }
    }
  }

  private void giveUp(String why) {
    Optional<Trial> best = fastest(open(trial -> trial.speed() > 0));
    for (Trial trial : open(trial -> best.filter(kept -> kept == trial).isEmpty())) {
      desk.drop(trial, "mltuner.epoch-bound", "is freed: " + why);
    }
    best.ifPresent(
        trial -> desk.settle(trial, "mltuner.epoch-bound", "is the fastest there is, as " + why));
    next.giveUp(best, why);
  }

  private List<Trial> open(Predicate<Trial> filter) {
    return desk.trials().stream().filter(Trial::isOpen).filter(filter).toList();
  }

  private static Optional<Trial> fastest(List<Trial> trials) {
    // Of equals the first: max would take the last.
    return trials.stream().sorted(Comparator.comparingDouble(Trial::speed).reversed()).findFirst();
  }
}
