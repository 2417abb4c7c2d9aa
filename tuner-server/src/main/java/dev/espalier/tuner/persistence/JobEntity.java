package dev.espalier.tuner.persistence;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TrainingStart;
import jakarta.persistence.Column;
import jakarta.persistence.Embedded;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.hibernate.annotations.ColumnTransformer;
import org.hibernate.annotations.SQLRestriction;
import org.jspecify.annotations.Nullable;

/// The row of a job; events and effects of its session move it on. One that is being removed is not
/// seen.
@Entity
@Table(name = "job")
@SQLRestriction("delete_time is null")
class JobEntity {
  @Id
  @Column(name = "job_id")
  String id;

  @Column(name = "position", insertable = false, updatable = false)
  @Nullable Long position;

  @Column(name = "name")
  String name;

  @Column(name = "program")
  String program;

  @Column(name = "policy")
  String policy;

  @Column(name = "searcher")
  String searcher;

  @Column(name = "worker_count")
  int workers;

  @Enumerated(EnumType.STRING)
  @Column(name = "launch", updatable = false)
  JobSpec.Launch launch;

  @Column(name = "seed")
  long seed;

  @Column(name = "spec", updatable = false)
  @ColumnTransformer(write = "?::json")
  String spec;

  @Column(name = "max_seconds", updatable = false)
  double maxSeconds;

  @Column(name = "max_epochs", updatable = false)
  double maxEpochs;

  @Column(name = "modelled", updatable = false)
  boolean modelled;

  @Column(name = "created_by")
  String createdBy;

  @Column(name = "create_time")
  Instant createTime;

  @Column(name = "end_time")
  @Nullable Instant endTime;

  @Enumerated(EnumType.STRING)
  @Column(name = "state")
  JobState state;

  @Column(name = "reason")
  String reason;

  @Column(name = "request_key", updatable = false)
  @Nullable String requestKey;

  @Column(name = "message")
  String message;

  @Column(name = "waiting_for")
  String waitingFor;

  @Column(name = "state_time")
  Instant since;

  @Column(name = "setting")
  @ColumnTransformer(write = "?::json")
  String setting;

  @Column(name = "mainline_branch")
  int mainlineBranch;

  @Column(name = "mainline_fork_clock")
  long mainlineForkClock;

  @Column(name = "data_fingerprint", updatable = false)
  String dataFingerprint;

  @Column(name = "policy_version")
  int policyVersion;

  @Column(name = "mainline_clock")
  long mainlineClock;

  @Column(name = "epoch")
  double epoch;

  @Column(name = "start_number")
  int start = TrainingStart.FIRST.number();

  @Column(name = "earlier_epochs")
  double earlierEpochs;

  @Column(name = "earlier_training_seconds")
  double earlierTrainingSeconds;

  @Column(name = "known_epoch_clock")
  long knownEpochClock;

  @Column(name = "known_epoch")
  double knownEpoch;

  @Column(name = "training_sample_count")
  long trainingSamples;

  @Column(name = "default_batch_size")
  int defaultBatchSize;

  @Column(name = "loss")
  @Nullable Double loss;

  @Column(name = "metrics")
  @ColumnTransformer(write = "?::json")
  String metrics;

  @Column(name = "round")
  int round;

  @Column(name = "tuning_seconds")
  double tuningSeconds;

  @Column(name = "training_seconds")
  double trainingSeconds;

  @Column(name = "evaluation_seconds")
  double evaluationSeconds;

  @Column(name = "at_seconds")
  double atSeconds;

  @Column(name = "branch_count")
  int branches;

  @Column(name = "generation")
  int generation;

  @Column(name = "event_count")
  long eventCount;

  @Column(name = "decision_count")
  long decisionCount;

  @Column(name = "stream_count")
  long streamCount;

  @Embedded @Nullable ResultPlace result;

  @Column(name = "trail_clocks")
  long trailClocks = 1;

  @Column(name = "trail_losses")
  double[] trailLosses = {};

  @Column(name = "trail_turns")
  long[] trailTurns = {};

  @Column(name = "version")
  long version;

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected JobEntity() {}

  JobEntity(
      String id,
      JobSpec spec,
      int policyVersion,
      String dataFingerprint,
      String actor,
      Instant now,
      DocumentCodec codec) {
    this.id = id;
    name = spec.name();
    program = spec.program();
    policy = spec.tuning().policy();
    this.policyVersion = policyVersion;
    this.dataFingerprint = dataFingerprint;
    searcher = spec.tuning().searcher();
    workers = spec.workers();
    launch = spec.launch();
    seed = spec.seed();
    this.spec = codec.write(spec);
    maxSeconds = spec.stop().maxSeconds();
    maxEpochs = spec.tuning().hasMainline() ? spec.stop().maxEpochs() : 0;
    modelled = spec.time().isPresent();
    createdBy = actor;
    createTime = now;
    state = JobStore.WAITING.state();
    reason = JobStore.WAITING.reason();
    message = JobStore.WAITING.message();
    waitingFor = JobStore.WAITING.waitingFor();
    since = now;
    setting = codec.writeNumbers(spec.tuning().setting().values());
    metrics = "{}";
    version = 1;
  }

  /// {@return whether the mainline moved}
  boolean take(SessionEvent event, DocumentCodec codec) {
    atSeconds = Math.max(atSeconds, event.atSeconds());
    return switch (event) {
      case SessionEvent.WorkersReady ready -> {
        trainingSamples = ready.trainingSamples();
        defaultBatchSize = ready.defaultBatchSize();
        yield false;
      }
      case SessionEvent.Progressed progress
          when progress.branch().number() == mainlineBranch && !progress.losses().isEmpty() -> {
        mainlineClock = mainlineForkClock + lastClock(progress);
        trail(Trail.of(this).at(mainlineClock, mean(progress)));
        moveEpoch(codec);
        yield true;
      }
      case SessionEvent.Progressed _,
          SessionEvent.Evaluated _,
          SessionEvent.CheckpointWritten _,
          SessionEvent.CheckpointFailed _,
          SessionEvent.WorkersLost _,
          SessionEvent.ProgramFailed _,
          SessionEvent.Requested _ ->
          false;
    };
  }

  void change(SessionEffect.JobChanged change, Instant now) {
    if (state != change.state()) {
      since = now;
    }
    if (change.state().isTerminal() && endTime == null) {
      endTime = now;
    }
    state = change.state();
    reason = change.reason();
    message = change.message();
    waitingFor = change.waitingFor();
  }

  void change(SessionEffect.BranchChanged change, DocumentCodec codec) {
    branches = Math.max(branches, change.branch().number() + 1);
    boolean alive =
        switch (change.state()) {
          case FORKING, WAITING, RUNNING, MEASURED, KEPT -> true;
          case DISCARDED, FAILED, LOST -> false;
        };
    if (change.kind() == BranchKind.MAINLINE && alive) {
      if (change.start().number() != start) {
        begin(change.start(), change.forkClock());
      }
      mainlineBranch = change.branch().number();
      mainlineForkClock = change.forkClock();
      mainlineClock = change.forkClock() + change.clocks();
      setting = codec.writeNumbers(change.setting().values());
      moveEpoch(codec);
    }
  }

  /// Clocks that a start brings along, because somebody went back to it, are taken to have run at
  /// the pace so far.
  private void begin(TrainingStart next, long clocks) {
    earlierTrainingSeconds = trainingSeconds - clocks * secondsPerClock();
    start = next.number();
    earlierEpochs = next.earlierEpochs();
  }

  private double secondsPerClock() {
    return mainlineClock > 0 ? (trainingSeconds - earlierTrainingSeconds) / mainlineClock : 0;
  }

  /// @param steps of the schedule, which `change` ends
  void change(
      SessionEffect.ScheduleChanged change, List<ScheduleView.Step> steps, DocumentCodec codec) {
    setting = codec.writeNumbers(change.setting().values());
    long[] turns = steps.stream().mapToLong(ScheduleView.Step::fromClock).toArray();
    trail(Trail.of(this).turningAt(turns));
    knowEpoch(change.mainlineClock(), change.epoch(), codec);
  }

  void change(SessionEffect.MainlineEvaluated change, DocumentCodec codec) {
    metrics = codec.writeNumbers(change.metrics());
    knowEpoch(change.mainlineClock(), change.epoch(), codec);
  }

  void change(SessionEffect.TimeSpent change) {
    // What is taken from one and counted as the other may leave less than nothing by rounding.
    tuningSeconds = Math.max(0, change.tuningSeconds());
    trainingSeconds = Math.max(0, change.trainingSeconds());
    evaluationSeconds = change.evaluationSeconds();
  }

  /// @param stall null where it is not known, or there is none
  JobView view(DocumentCodec codec, JobView.@Nullable Stall stall) {
    double allSeconds = tuningSeconds + trainingSeconds + evaluationSeconds;
    return new JobView(
        id,
        name,
        program,
        policy,
        searcher,
        workers,
        launch,
        seed,
        state,
        reason,
        message,
        waitingFor,
        stall,
        since,
        createTime,
        endTime,
        codec.readNumbers(setting),
        mainlineBranch,
        mainlineClock,
        epoch,
        start,
        earlierEpochs,
        loss == null || !Double.isFinite(loss) ? null : loss,
        codec.readNumbers(metrics),
        round,
        tuningSeconds,
        trainingSeconds,
        evaluationSeconds,
        atSeconds,
        modelled,
        allSeconds > 0 ? tuningSeconds / allSeconds : 0,
        branches,
        generation,
        version,
        eventCount,
        createdBy,
        secondsLeft(),
        result == null ? null : result.view(),
        Trail.of(this).view(secondsPerClock()));
  }

  private @Nullable Double secondsLeft() {
    double left = Double.POSITIVE_INFINITY;
    if (maxSeconds > 0) {
      left = Math.max(0, maxSeconds - atSeconds);
    }
    double epochs = earlierEpochs + epoch;
    if (maxEpochs > 0 && epochs > 0 && atSeconds > 0) {
      // Tuning goes on beside the epochs that are left, at its pace so far.
      left = Math.min(left, Math.max(0, maxEpochs - epochs) * atSeconds / epochs);
    }
    return state.isTerminal() || Double.isInfinite(left) ? null : left;
  }

  private void trail(Trail trail) {
    trailClocks = trail.clocks();
    trailLosses = trail.losses();
    trailTurns = trail.turns();
  }

  private void knowEpoch(long clock, double knownEpoch, DocumentCodec codec) {
    knownEpochClock = clock;
    this.knownEpoch = knownEpoch;
    moveEpoch(codec);
  }

  /// {@return clocks of a pass over the data, as a session counts them, >= 1}
  long clocksPerEpoch(Map<String, Double> of) {
    long samples = Math.max(1, workers * Math.round(batchSize(of)));
    return Math.max(1, Math.ceilDiv(trainingSamples, samples));
  }

  private double batchSize(Map<String, Double> of) {
    return of.getOrDefault(Tunable.BATCH_SIZE, (double) defaultBatchSize);
  }

  /// The session names the epoch now and then; between, clocks times samples tell it.
  private void moveEpoch(DocumentCodec codec) {
    double batchSize = batchSize(codec.readNumbers(setting));
    double perClock = trainingSamples > 0 ? workers * batchSize / trainingSamples : 0;
    epoch = Math.max(0, knownEpoch + (mainlineClock - knownEpochClock) * perClock);
  }

  private static long lastClock(SessionEvent.Progressed progress) {
    return progress.fromClock() + progress.losses().size() - 1;
  }

  private static double mean(SessionEvent.Progressed progress) {
    double sum = 0;
    for (double one : progress.losses()) {
      sum += one;
    }
    return sum / progress.losses().size();
  }

  static Map<String, Object> window(SessionEvent.Progressed progress) {
    double min = Double.POSITIVE_INFINITY;
    double max = Double.NEGATIVE_INFINITY;
    for (double one : progress.losses()) {
      min = Math.min(min, one);
      max = Math.max(max, one);
    }
    double seconds = 0;
    for (double one : progress.seconds()) {
      seconds += one;
    }
    return Map.of(
        "branch",
        progress.branch().number(),
        "fromClock",
        progress.fromClock(),
        "toClock",
        progress.fromClock() + progress.losses().size(),
        "seconds",
        seconds,
        "mean",
        mean(progress),
        "min",
        min,
        "max",
        max);
  }
}
