package dev.espalier.api.rest;

import dev.espalier.api.model.JobState;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// A job as the API shows it.
///
/// @param id such as `job_0198f3...`
/// @param launch who starts its workers; where nobody here does, their files are not here either
/// @param reason code behind the state, such as `round-running`
/// @param message the reason in words
/// @param waitingFor what must happen next; empty when nothing is waited for
/// @param stall since when and why nothing is decided; null while all is well, and in events
/// @param since when the state was entered
/// @param setting what the mainline runs with
/// @param mainlineBranch number of the branch that is the mainline now
/// @param mainlineClock clocks on the mainline, ancestors' included
/// @param epoch passes over the training data on the mainline, in its present start
/// @param start from 1; one more each time that training begins anew because the model overfits
/// @param earlierEpochs passes of the starts before it; with `epoch` what `stop.maxEpochs` bounds
/// @param loss mean training loss of the mainline's last [#LOSS_CLOCKS] clocks; null before the
///   first one or when NaN
/// @param metrics latest validation metrics on the way to where the mainline stands; empty before
///   the first, and after a new start
/// @param round number of the latest round; 0 before the first
/// @param seconds of the job's life, which `stop.maxSeconds` bounds; they stand still while it
///   waits or is paused
/// @param modelled whether its seconds, and those of its branches and evaluations, come from its
///   cost model and not from the wall clock
/// @param tuningShare tuning seconds over all branch seconds, 0 to 1
/// @param branches how many branches the job has made
/// @param generation of its workers; grows by one when they are restarted
/// @param version of what may be acted on, for `If-Match`: it grows when the job, a branch, a round
///   or a snapshot enters another state, not with every clock
/// @param events of its log; together with `version` the `ETag` of what is shown
/// @param createdBy who submitted it, such as `token:ci`
/// @param secondsLeft about how long the job may still take at most, by its bounds and its pace so
///   far; null when nothing bounds it or it has ended
/// @param result which model the job would end with now, or ended with; null while there is none
/// @param trail the mainline's loss in few points, for lists
public record JobView(
    String id,
    String name,
    String program,
    String policy,
    String searcher,
    int workers,
    JobSpec.Launch launch,
    long seed,
    JobState state,
    String reason,
    String message,
    String waitingFor,
    @Nullable Stall stall,
    Instant since,
    Instant createTime,
    @Nullable Instant endTime,
    Map<String, Double> setting,
    int mainlineBranch,
    long mainlineClock,
    double epoch,
    int start,
    double earlierEpochs,
    @Nullable Double loss,
    Map<String, Double> metrics,
    int round,
    double tuningSeconds,
    double trainingSeconds,
    double evaluationSeconds,
    double seconds,
    boolean modelled,
    double tuningShare,
    int branches,
    int generation,
    long version,
    long events,
    String createdBy,
    @Nullable Double secondsLeft,
    @Nullable Result result,
    Trail trail) {
  /// Clocks over which the training loss is a mean.
  public static final int LOSS_CLOCKS = 32;

  /// A job that stands still, whatever its state says: what happens in it cannot be written down,
  /// or its workers cannot be started.
  ///
  /// @param since when that began
  /// @param reason in words
  public record Stall(Instant since, String reason) {}

  /// A model of a job, and where it lies.
  ///
  /// @param start that it belongs to, from 1
  /// @param branch that it is a state of
  /// @param clock mainline clock
  /// @param epoch passes over the training data in that start
  /// @param value of the metric that judges the model; null where it was not evaluated
  public record Result(int start, int branch, long clock, double epoch, @Nullable Double value) {
    /// {@return the number of the snapshot that holds this model; empty while none that is on a
    /// disk does. One of another branch does not, though it may be of the same clock: a mainline
    /// that went back comes there again, with another model}
    public OptionalLong snapshotAmong(List<SnapshotView> snapshots) {
      return snapshots.stream()
          .filter(SnapshotView::isReady)
          .filter(
              one -> one.branch() == branch && one.start() == start && one.mainlineClock() == clock)
          .mapToLong(SnapshotView::snapshot)
          .max();
    }
  }

  /// A job's course at a glance.
  ///
  /// @param clocks mainline clocks between two points
  /// @param losses at most 64; null where none is known
  /// @param turns mainline clocks at which the schedule changed, the last ones
  /// @param speed loss per second that the mainline falls by now, >= 0; null when it is too short
  /// @param firstSpeed the same at its start
  public record Trail(
      long clocks,
      List<@Nullable Double> losses,
      List<Long> turns,
      @Nullable Double speed,
      @Nullable Double firstSpeed) {
    /// The course of a job that has not begun.
    public static final Trail EMPTY = new Trail(1, List.of(), List.of(), null, null);
  }
}
