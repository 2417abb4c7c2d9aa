package dev.espalier.tuner.app.port;

import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Jobs as people look at them. Lookups of an unknown job are empty; unknown tokens of pages are
/// `INVALID_REQUEST`.
public interface JobQueries {
  /// Newest first.
  ///
  /// @param states only jobs in one of them; all jobs when empty
  /// @param name only jobs whose name holds this text, in any case; all jobs when empty
  PageView<JobView> jobs(
      Set<JobState> states, String name, int pageSize, @Nullable String pageToken);

  Optional<JobView> job(String job);

  Optional<JobSpec> spec(String job);

  /// By number, ascending; `round` and `kind` filter when not null.
  PageView<BranchView> branches(
      String job,
      @Nullable Integer round,
      @Nullable String kind,
      int pageSize,
      @Nullable String pageToken);

  /// The branches that matter most: the newest, the mainline's chain from its end, and those that
  /// live. All, where there are not many.
  ///
  /// @param most how many at most
  /// @return by number, ascending
  List<BranchView> mainBranches(String job, int most);

  /// {@return how many children each of these branches has, by its number; none are left out}
  Map<Integer, Long> childCounts(String job, Collection<Integer> parents);

  /// {@return what trying settings came to in a job}
  Tried tried(String job);

  /// What trying settings came to: sums over the settings that a job ran with.
  ///
  /// @param settings that ran at least a clock
  /// @param diverged how many of them did
  /// @param epochSeconds seconds that an epoch takes at the mean time of a clock of all settings of
  ///   the same batch size, over those that did not diverge
  /// @param divergedEpochSeconds the same over those that did
  /// @param divergedSeconds seconds that these ran before
  /// @param epochs passes over the data, those of each setting rounded up
  record Tried(
      int settings,
      int diverged,
      double epochSeconds,
      double divergedEpochSeconds,
      double divergedSeconds,
      double epochs) {}

  Optional<BranchView> branch(String job, int branch);

  /// By number, ascending.
  PageView<RoundView> rounds(String job, int pageSize, @Nullable String pageToken);

  /// {@return the last rounds, by number, ascending}
  ///
  /// @param most how many at most
  Latest<RoundView> latestRounds(String job, int most);

  /// What matters most of a list: mostly its end.
  ///
  /// @param leftOut how many there are besides
  record Latest<T>(List<T> items, long leftOut) {
    public Latest {
      items = List.copyOf(items);
    }
  }

  PageView<DecisionView> decisions(
      String job, DecisionFilter filter, int pageSize, @Nullable String pageToken);

  /// Durable snapshots, oldest first; those that failed or were dropped are among them.
  PageView<SnapshotView> snapshots(String job, int pageSize, @Nullable String pageToken);

  /// {@return the last snapshots, and all that are on the disk or on their way, oldest first}
  ///
  /// @param most of the last ones; 0 for those that are there alone
  Latest<SnapshotView> latestSnapshots(String job, int most);

  Optional<SnapshotView> snapshot(String job, long snapshot);

  ScheduleView schedule(String job);

  /// {@return how much of a job there is to record now; empty when there is no such job}
  Optional<Recorded> recorded(String job);

  /// What of a job can be recorded at one moment.
  ///
  /// @param policyVersion of the policy that the job began with; 0 when it was not written down
  /// @param events in its log
  /// @param decisions that followed from them
  record Recorded(JobSpec spec, int policyVersion, long events, long decisions) {}

  /// A part of a job's log, in order.
  ///
  /// @param after sequence of the event before the part
  /// @param until sequence that the part does not go beyond
  /// @return at least one event where there is any, and not many or large ones
  List<SessionEvent> events(String job, long after, long until);

  /// Of all branches, in the order in which they were made.
  PageView<EvaluationView> evaluations(String job, int pageSize, @Nullable String pageToken);

  /// {@return the last evaluations, of all branches, in order}
  ///
  /// @param most how many at most
  Latest<EvaluationView> latestEvaluations(String job, int most);

  /// The training loss of a branch between two of its own clocks, in at most `points` buckets.
  ///
  /// @param from inclusive
  /// @param to exclusive
  SeriesView series(String job, int branch, long from, long to, int points);

  /// The training losses of several branches, each in at most `points` buckets; those without a
  /// clock are left out.
  List<SeriesView> series(String job, List<Integer> branches, int points);

  /// The mainline's training loss between two of its clocks, in about `points` buckets.
  MainlineView mainline(String job, long from, long to, int points);

  /// Kept stream events after `sequence`, at most `limit`.
  List<StreamEvent> stream(String job, long sequence, int limit);

  /// {@return the sequence of the last kept stream event; 0 for an unknown job}
  long streamSequence(String job);

  /// Which decisions, in which order.
  ///
  /// @param round only those of this round; all when null
  /// @param byPeople only what people asked for
  record DecisionFilter(@Nullable Integer round, boolean byPeople, boolean newestFirst) {
    /// All, oldest first.
    public static final DecisionFilter ALL = new DecisionFilter(null, false, false);
  }

  /// {@return how many jobs are in each state that has any}
  Map<JobState, Long> jobsByState();
}
