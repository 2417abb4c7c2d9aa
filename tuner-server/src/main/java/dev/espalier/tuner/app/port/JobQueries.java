package dev.espalier.tuner.app.port;

import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.StreamEvent;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Jobs as people look at them. Lookups of an unknown job are empty; unknown tokens of pages are
/// `INVALID_REQUEST`.
public interface JobQueries {
  /// Newest first.
  PageView<JobView> jobs(@Nullable JobState state, int pageSize, @Nullable String pageToken);

  Optional<JobView> job(String job);

  Optional<JobSpec> spec(String job);

  /// By number, ascending; `round` and `kind` filter when not null.
  PageView<BranchView> branches(
      String job,
      @Nullable Integer round,
      @Nullable String kind,
      int pageSize,
      @Nullable String pageToken);

  Optional<BranchView> branch(String job, int branch);

  List<RoundView> rounds(String job);

  PageView<DecisionView> decisions(String job, int pageSize, @Nullable String pageToken);

  ScheduleView schedule(String job);

  List<EvaluationView> evaluations(String job);

  /// The training loss of a branch in at most `points` buckets.
  SeriesView series(String job, int branch, int points);

  /// Kept stream events after `sequence`, at most `limit`.
  List<StreamEvent> stream(String job, long sequence, int limit);

  /// {@return the sequence of the last kept stream event; 0 for an unknown job}
  long streamSequence(String job);

  /// {@return how many jobs are in each state that has any}
  Map<JobState, Long> jobsByState();
}
