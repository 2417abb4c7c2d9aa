package dev.espalier.tuner.core.session;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/// Everything the outside may tell a session; the log of these is the state of a job.
///
/// Every event carries `atSeconds`: seconds of the job's life so far, never falling. It comes from
/// the cost model where the job has one, so that such a job's decisions do not depend on the
/// machine.
public sealed interface SessionEvent {
  double atSeconds();

  /// All workers of a generation are attached and their data are read.
  ///
  /// @param generation 1 for the first set of workers, one more for each set after it
  /// @param trainingSamples samples of one epoch
  /// @param defaultBatchSize samples per worker and clock where no setting names `batchSize`
  /// @param probeSamples samples to judge branches by, none of which is trained on
  record WorkersReady(
      double atSeconds,
      int generation,
      int workers,
      long trainingSamples,
      int defaultBatchSize,
      long probeSamples)
      implements SessionEvent {
    /// Workers that train on all samples.
    public WorkersReady(
        double atSeconds, int generation, int workers, long trainingSamples, int defaultBatchSize) {
      this(atSeconds, generation, workers, trainingSamples, defaultBatchSize, 0);
    }
  }

  /// All workers have reported these consecutive clocks of a branch.
  ///
  /// @param fromClock branch-internal number of the first clock; always the one after the last
  /// @param losses mean training loss of each clock over all workers' samples; may be NaN
  /// @param seconds duration of each clock (the slowest worker's, or the cost model's)
  record Progressed(
      double atSeconds, BranchId branch, long fromClock, List<Double> losses, List<Double> seconds)
      implements SessionEvent {
    public Progressed {
      losses = List.copyOf(losses);
      seconds = List.copyOf(seconds);
    }
  }

  /// An evaluation came back from all workers.
  ///
  /// @param metrics value by name, put together over workers; empty for a probe
  /// @param losses of a probe: mean loss of each block of the samples that judge, the same blocks
  ///   for each branch that is asked for as many; may be NaN; of an evaluation: the mean loss on
  ///   all validation samples, alone; empty where the program's first metric is a loss, or none is
  ///   measured on these samples
  /// @param scores of a probe: the program's first metric of each of these blocks, as a mean whose
  ///   small values are good; empty where the losses are of that metric, or it was not measured
  record Evaluated(
      double atSeconds,
      long evaluation,
      BranchId branch,
      Map<String, Double> metrics,
      double seconds,
      List<Double> losses,
      List<Double> scores)
      implements SessionEvent {
    /// An evaluation on the validation data.
    public Evaluated(
        double atSeconds,
        long evaluation,
        BranchId branch,
        Map<String, Double> metrics,
        double seconds) {
      this(atSeconds, evaluation, branch, metrics, seconds, List.of(), List.of());
    }

    public Evaluated {
      metrics = Map.copyOf(metrics);
      // Logs that were written before there were probes, or scores of them, have none.
      losses = List.copyOf(Objects.requireNonNullElse(losses, List.of()));
      scores = List.copyOf(Objects.requireNonNullElse(scores, List.of()));
    }

    /// {@return of an evaluation, the mean loss on the validation samples; NaN where the program's
    /// first metric is a loss, or none is measured}
    public double loss() {
      return losses.size() == 1 ? losses.getFirst() : Double.NaN;
    }
  }

  /// A checkpoint is durable at all workers.
  record CheckpointWritten(double atSeconds, long checkpoint, BranchId branch, long sizeBytes)
      implements SessionEvent {}

  /// A checkpoint failed at one worker at least; the one before stays the last good one.
  record CheckpointFailed(double atSeconds, long checkpoint, BranchId branch, String message)
      implements SessionEvent {}

  /// A worker is gone; all branches of the generation are gone with it.
  record WorkersLost(double atSeconds, int generation, String reason) implements SessionEvent {}

  /// The program or its input failed for good.
  record ProgramFailed(double atSeconds, String code, String message) implements SessionEvent {}

  /// A person asked for something.
  ///
  /// @param actor who, such as `token:ci`
  record Requested(double atSeconds, UserRequest request, String actor) implements SessionEvent {}

  /// What a person may ask of a running job.
  sealed interface UserRequest {
    record Pause() implements UserRequest {}

    record Resume() implements UserRequest {}

    /// Finish the clocks that are scheduled, write a checkpoint, end.
    record Cancel() implements UserRequest {}

    /// End now.
    record Kill() implements UserRequest {}

    /// Start a round as soon as the mainline stands at a clock boundary.
    record Retune() implements UserRequest {}

    /// Try one setting beside the current one in a round of its own.
    record Try(Setting setting) implements UserRequest {}

    /// End the running round with this trial as its winner.
    record Keep(BranchId branch) implements UserRequest {}

    /// Give a trial of the running round up.
    record Discard(BranchId branch) implements UserRequest {}

    /// Go back to a snapshot, once where training stands now is a snapshot too.
    record Restore(long snapshot) implements UserRequest {}

    /// Keep a snapshot for good, or let it go with the others of its age.
    record Pin(long snapshot, boolean pinned) implements UserRequest {}
  }
}
