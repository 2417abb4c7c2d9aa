package dev.espalier.tuner.core.session;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.tuner.core.progress.ProgressSummary;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Everything a session may ask of the outside, in order.
public sealed interface SessionEffect {
  /// Send a command to all workers of the current generation.
  record Command(BranchCommand command) implements SessionEffect {}

  /// Start a set of workers; they have no branch until `Create` or `Restore`.
  record LaunchWorkers(int generation) implements SessionEffect {}

  /// End the workers at once, without waiting for what they do.
  record KillWorkers(int generation) implements SessionEffect {}

  /// Let workers stand still between clocks, or go on.
  record Hold(boolean held) implements SessionEffect {}

  /// Write a decision down.
  record Decide(Decision decision) implements SessionEffect {}

  /// What a person asked for does not fit the job as it stands, and is not done.
  ///
  /// @param why in words
  record Ignored(String why) implements SessionEffect {}

  /// The job's state changed.
  ///
  /// @param reason a code such as `round-running`
  /// @param message in words, for people
  /// @param waitingFor what must happen next; empty when nothing is waited for
  record JobChanged(JobState state, String reason, String message, String waitingFor)
      implements SessionEffect {}

  /// A branch came to be or changed.
  ///
  /// @param parent empty for a branch without one
  /// @param round number of the round it belongs to; 0 for none
  /// @param start that it belongs to
  /// @param forkClock mainline clock of the fork point
  /// @param clocks clocks run so far
  /// @param seconds branch seconds run so far
  /// @param summary what its trace says; empty before it was judged
  /// @param heldOutLoss mean loss on the samples that judge when it was probed last; NaN before
  /// @param heldOutMetric whose negative that is; empty where it is a loss
  /// @param validation the best of its own validation results, and of those of a branch whose place
  ///   it took when workers were lost; empty before the first
  record BranchChanged(
      BranchId branch,
      Optional<BranchId> parent,
      BranchKind kind,
      int round,
      Setting setting,
      BranchState state,
      TrainingStart start,
      long forkClock,
      long clocks,
      double seconds,
      Optional<ProgressSummary> summary,
      double heldOutLoss,
      Optional<String> heldOutMetric,
      Optional<BestValidation> validation)
      implements SessionEffect {}

  /// The best validation result of a branch.
  ///
  /// @param metric that judges the model
  /// @param value never NaN
  /// @param epoch passes over the training data at which the branch had it first
  record BestValidation(String metric, Goal goal, double value, double epoch) {}

  /// A round began, moved on or ended.
  ///
  /// @param number from 1
  /// @param phase `probing`, `trial-time`, `searching` or `ended`
  /// @param trials settings tried so far
  /// @param trialSeconds current trial time
  /// @param winner the branch that was adopted; empty while none is
  /// @param outcome one sentence once ended; empty before
  record RoundChanged(
      int number,
      RoundTrigger trigger,
      String phase,
      BranchId parent,
      int trials,
      int maxTrials,
      double trialSeconds,
      Optional<BranchId> winner,
      String outcome)
      implements SessionEffect {}

  /// The mainline runs with `setting` from `mainlineClock` on, where `branch` began: clocks that
  /// the winner of a round ran before it won are the mainline's, too.
  record ScheduleChanged(long mainlineClock, double epoch, Setting setting, BranchId branch)
      implements SessionEffect {}

  /// A validation result of a branch as it stands.
  sealed interface Validated extends SessionEffect {
    BranchId branch();

    long mainlineClock();

    double epoch();

    double atSeconds();

    /// {@return value by name; NaN among them}
    Map<String, Double> metrics();
  }

  /// A validation result of the mainline.
  record MainlineEvaluated(
      BranchId branch,
      long mainlineClock,
      double epoch,
      double atSeconds,
      Map<String, Double> metrics)
      implements Validated {}

  /// A validation result of a run of a population that is not better than the best one before.
  record RunEvaluated(
      BranchId branch,
      long mainlineClock,
      double epoch,
      double atSeconds,
      Map<String, Double> metrics)
      implements Validated {}

  /// What a branch is now would be the job's result if the job ended here.
  ///
  /// @param start that it belongs to, from 1
  /// @param value of the metric that judges the model; may be NaN
  /// @param path all settings, and the shapes of their rates, that led to it; a schedule that gives
  ///   the same model again
  record ResultChanged(
      int start,
      long mainlineClock,
      double epoch,
      BranchId branch,
      double value,
      List<JobPlan.ScheduleStep> path)
      implements SessionEffect {
    public ResultChanged {
      path = List.copyOf(path);
    }
  }

  /// A durable snapshot of the mainline was asked for, written, given up, pinned or dropped.
  ///
  /// @param snapshot its number in the job, from 1
  /// @param sizeBytes over all workers; 0 before it is written
  /// @param pinned whether it is kept for good
  record SnapshotChanged(
      long snapshot,
      BranchId branch,
      long mainlineClock,
      double epoch,
      Setting setting,
      SnapshotState state,
      long sizeBytes,
      boolean pinned)
      implements SessionEffect {}

  /// How much of the job's branch seconds went where.
  ///
  /// @param tuningSeconds probes and losing trials, plus evaluations inside rounds
  /// @param trainingSeconds mainline, winners' trials included
  record TimeSpent(double tuningSeconds, double trainingSeconds, double evaluationSeconds)
      implements SessionEffect {}
}
