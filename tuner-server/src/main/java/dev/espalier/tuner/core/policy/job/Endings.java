package dev.espalier.tuner.core.policy.job;

import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.Map;
import java.util.Optional;

/// The ways in which a job ends, in words.
public final class Endings {
  /// Share of a job's seconds.
  private static final double LONG_START = 0.5;

  /// Why a job ended whose seconds were over.
  public static final String MAX_SECONDS = "max-seconds";

  private Endings() {}

  /// {@return the end after a plateau}
  ///
  /// @param patience evaluations without a new best
  public static Ending converged(int patience) {
    return Ending.completed(
        "converged", "Converged: no new best in the last " + Words.count(patience, "evaluation"));
  }

  /// {@return the end of a job whose planner orders no more runs}
  public static Ending populationDone(String why) {
    return Ending.completed("population-done", "The population is done: " + why);
  }

  /// {@return the end of a job none of whose runs came to a result}
  ///
  /// @param runs that began
  /// @param how the end that it would be with one
  public static Ending noResult(int runs, Ending how) {
    return Ending.failed(
        "nothing-learns",
        how.message()
            + ", and there is no model: "
            + (runs == 1
                ? "its one run did not come"
                : "none of its " + Words.count(runs, "run") + " came")
            + " to a validation result that is a number. Widen the search space, or check the"
            + " program and its data");
  }

  /// {@return the end of a job whose re-tuning round adopted nothing}
  public static Ending nothingLearns() {
    return Ending.completed("converged", "Converged: re-tuning found no setting that still learns");
  }

  /// {@return the end of a job whose metric is at the target or better}
  public static Optional<Ending> targetReached(JobPlan plan, Map<String, Double> metrics) {
    double value = plan.judged(metrics);
    double target = plan.target();
    if (!(value == target || plan.validation().goal().isBetter(value, target))) {
      return Optional.empty();
    }
    return Optional.of(
        Ending.completed(
            "target-reached",
            "Target reached: "
                + plan.validation().name()
                + " is "
                + Words.number(value)
                + ", the target was "
                + Words.number(target)));
  }

  /// {@return the end at the bound on epochs}
  public static Ending maxEpochs(double epochs) {
    return Ending.completed(
        "max-epochs", "Trained for the " + Words.number(epochs) + " epochs it was given");
  }

  /// {@return the end at the bound on seconds, which the start of workers counts into: a failure
  /// where no clock of the mainline was done, for whoever takes the model of a job that is complete
  /// trusts that it was trained}
  public static Ending maxSeconds(Board board) {
    double start = board.secondsToFirstClock();
    double given = board.plan().maxSeconds();
    String used =
        "Used"
            + (board.plan().time().isPresent() ? ", by its cost model," : "")
            + " the "
            + Words.number(given)
            + " seconds it was given";
    if (Double.isNaN(start)) {
      return Ending.failed(MAX_SECONDS, used + " before its first clock: nothing was trained");
    }
    if (!board.hasTrained()) {
      return Ending.failed(
          MAX_SECONDS, used + " before a clock of the mainline: nothing was trained");
    }
    // What a bound left for training is worth a word where that is little.
    return Ending.completed(
        MAX_SECONDS,
        start > LONG_START * given
            ? used
                + ", "
                + (start < given ? Words.number(start) : "all")
                + " of them before its first clock"
            : used);
  }

  /// {@return why a job failed whose first round adopted nothing}
  public static String nothingEverLearned(int trials, String why) {
    return "None of the "
        + Words.count(trials, "setting")
        + " tried makes the loss fall: "
        + why
        + ". Widen the search space, or check the program and its data";
  }

  /// {@return what happened to a mainline whose loss is no number any more}
  public static String overflow(Branch branch, double loss) {
    return "The training loss is "
        + loss
        + " at clock "
        + branch.mainlineClock()
        + " with "
        + Words.setting(branch.setting());
  }
}
