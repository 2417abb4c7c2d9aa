package dev.espalier.tuner.app.port;

import dev.espalier.api.model.JobState;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.core.session.SessionEffect;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Jobs as the runners need them.
public interface JobStore {
  /// Writes a new job in state `QUEUED`.
  ///
  /// @param request names the request that made it
  void create(StoredJob job, String actor, Optional<String> request);

  /// {@return the job that a request has made within the last day}
  Optional<String> madeBy(String request);

  Optional<StoredJob> find(String id);

  /// {@return how a job stands now; empty when there is none}
  Optional<Standing> standing(String id);

  /// {@return jobs that have not ended, oldest first}
  List<StoredJob> unfinished();

  /// Marks a job as failed that no runner can bring to an end; its log stays as it is.
  ///
  /// @param reason a code
  /// @param message in words
  /// @return what viewers are to be told
  List<StreamEvent> fail(String job, String reason, String message);

  /// Says why a job stands still that no runner can bring back now; its state and its log stay as
  /// they are, and its reason is `NOT_RESUMED`.
  ///
  /// @return what viewers are to be told
  List<StreamEvent> explain(String job, String message);

  /// Begins the removal of a job that has ended: nobody is shown it any more. May be called again.
  ///
  /// @throws dev.espalier.api.model.EspalierException `NOT_FOUND`, or `WRONG_STATE` when it has not
  ///   ended; it stays as it is then
  void hide(String job);

  /// Removes a job, hidden or not, with all that is written of it. That may take minutes; what is
  /// left of one that was cut off is removed by the same call.
  ///
  /// @throws dev.espalier.api.model.EspalierException as `hide` does
  void delete(String job);

  /// {@return jobs that are hidden, because their removal goes on or was cut off}
  List<String> halfDeleted();

  /// {@return whether a job cannot go on with a version of its policy: what its log says, it says
  /// to the version that wrote it alone, for another one would give other commands the numbers of
  /// those that workers have applied; a job that only waits has given none}
  ///
  /// @param begun version that the job began with; 0 when it was not written down, which counts as
  ///   the one that is here
  /// @param here version of the policy that this server has
  static boolean isOfAnotherVersion(JobState state, int begun, int here) {
    return state != JobState.QUEUED && !state.isTerminal() && begun != 0 && begun != here;
  }

  /// Writes down that a job begins with another version of its policy than the one that it was
  /// submitted to.
  void putPolicyVersion(String job, int version);

  /// {@return jobs of a program that searched and came to a good end, newest first}
  ///
  /// @param most how many at most
  List<FinishedJob> finished(String program, int most);

  /// Remembers the hash of the secret that workers of a generation must show.
  void putWorkerSecret(String job, int generation, byte[] sha256);

  /// {@return the hash that `putWorkerSecret` remembered}
  Optional<byte[]> workerSecret(String job, int generation);

  /// {@return the hash that `putWorkerSecret` remembered of the newest generation}
  Optional<byte[]> workerSecret(String job);

  /// What is shown of a job that waits for its turn; the setting's name tells how to have more
  /// places.
  SessionEffect.JobChanged WAITING =
      new SessionEffect.JobChanged(
          JobState.QUEUED, "submitted", "waits for its turn", "one of max-jobs-running places");

  /// The reason of a job that no runner can bring back.
  String NOT_RESUMED = "not-resumed";

  /// How a job stands.
  ///
  /// @param reason code behind the state
  /// @param version of what may be acted on; see `JobView`
  record Standing(JobState state, String reason, long version) {}

  /// A job at rest.
  ///
  /// @param id such as `job_0198f3...`; letters, digits and `_` only
  /// @param policyVersion version of the policy that the job began with; 0 when it was not written
  ///   down
  /// @param dataFingerprint of the data it trains on; empty where there is no data folder
  record StoredJob(String id, JobSpec spec, int policyVersion, String dataFingerprint) {
    /// A job of which the policy's version is not known.
    public StoredJob(String id, JobSpec spec) {
      this(id, spec, 0, "");
    }
  }

  /// A job that searched and came to a good end.
  ///
  /// @param evaluations how many of its mainline it had, or of a population that led
  /// @param first validation metrics of the first of them, by name; empty where it had none
  /// @param value of the first validation metric of its result; may be NaN
  /// @param clock mainline clock of its result
  /// @param epoch the same in passes over the training data
  /// @param path settings that led to it, by mainline clock
  record FinishedJob(
      StoredJob job,
      long evaluations,
      Map<String, Double> first,
      double value,
      long clock,
      double epoch,
      List<JobSpec.ScheduleEntry> path) {
    public FinishedJob {
      first = Map.copyOf(first);
      path = List.copyOf(path);
    }
  }
}
