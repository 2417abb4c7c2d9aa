package dev.espalier.tuner.persistence;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One of each, with numbers that are easily lost on the way.
final class EventSamples {
  static final List<SessionEvent> EVENTS =
      List.of(
          new SessionEvent.WorkersReady(0.1, 1, 2, 60_000, 32),
          new SessionEvent.Progressed(
              0.1 + 0.2,
              new BranchId(0),
              1,
              List.of(
                  2.302585092994046,
                  Double.NaN,
                  Double.POSITIVE_INFINITY,
                  Double.NEGATIVE_INFINITY,
                  -0.0,
                  Double.MIN_VALUE,
                  Double.MAX_VALUE),
              List.of(1e-9, 0.1, 0.3, 1.0 / 3, 5e-324, 1e22, 123456789.123456789)),
          new SessionEvent.Evaluated(
              1e300, Long.MAX_VALUE, new BranchId(7), Map.of("accuracy", Double.NaN, "b", 0.1), 2),
          new SessionEvent.WorkersReady(0.1, 1, 2, 60_000, 32, 2000),
          new SessionEvent.Evaluated(
              2,
              3,
              new BranchId(7),
              Map.of(),
              0.1,
              List.of(0.1 + 0.2, Double.NaN),
              List.of(-0.75, Double.NaN)),
          new SessionEvent.CheckpointWritten(3, 4, BranchId.ROOT, 1L << 40),
          new SessionEvent.CheckpointFailed(4, 5, BranchId.ROOT, "disk full: \"/x\" \u00e4\n"),
          new SessionEvent.WorkersLost(5, 1, "worker 1 ended with 137"),
          new SessionEvent.ProgramFailed(6, "INVALID_DATA", "train-labels.gz line 3"),
          new SessionEvent.Requested(7, new UserRequest.Pause(), "token:ci"),
          new SessionEvent.Requested(8, new UserRequest.Resume(), "token:ci"),
          new SessionEvent.Requested(9, new UserRequest.Cancel(), "token:ci"),
          new SessionEvent.Requested(10, new UserRequest.Kill(), "token:ci"),
          new SessionEvent.Requested(11, new UserRequest.Retune(), "token:ci"),
          new SessionEvent.Requested(
              12, new UserRequest.Try(Setting.of(Map.of("learningRate", 1e-5))), "token:ci"),
          new SessionEvent.Requested(13, new UserRequest.Keep(new BranchId(7)), "token:ci"),
          new SessionEvent.Requested(14, new UserRequest.Discard(new BranchId(8)), "token:ci"),
          new SessionEvent.Requested(15, new UserRequest.Restore(3), "token:ci"),
          new SessionEvent.Requested(16, new UserRequest.Pin(3, true), "token:ci"));

  private EventSamples() {}

  static JobSpec spec() {
    return spec("toy", "mltuner");
  }

  static JobSpec spec(String program, String policy) {
    return new JobSpec(
        "sample \u00e4",
        program,
        Optional.of("mnist"),
        Map.of("layers", "128,64"),
        2,
        JobSpec.Launch.LOCAL,
        -42,
        List.of(
            new Tunable.LogRange("learningRate", 1e-5, 1, 0.01),
            new Tunable.LinearRange("momentum", 0, 0.99, 0.9),
            new Tunable.Choice("batchSize", List.of(16.0, 32.0), 32)),
        new JobSpec.Tuning(
            policy,
            "tpe",
            Setting.of(Map.of("momentum", 0.9)),
            List.of(
                new JobSpec.ScheduleEntry(
                    0,
                    Setting.of(Map.of("learningRate", 0.1)),
                    Optional.of(new Shape.LinearToZero(5, 9)))),
            10,
            true,
            5,
            2.0,
            0,
            24,
            5,
            0.1,
            3,
            10,
            6,
            new JobSpec.Runs(8, 9, 0.5, 3, 4, 10, 1, 0.2, 0.25, 1.2, true),
            RacingOptions.DEFAULTS,
            true,
            false),
        new JobSpec.Stop(5, 0, Double.NaN),
        new JobSpec.Checkpoints(2),
        new JobSpec.Limits(90),
        Optional.of(new TimeModel(0.001, 1e-6)),
        new Communication("socket", "oneBit", 0.5, 4, 2, true, true),
        3L << 30,
        List.of(
            new Prior(
                "job_1",
                Setting.of(Map.of("learningRate", 0.2)),
                "loss",
                Double.NaN,
                3.5,
                true,
                List.of("momentum 0.5 is left out: it is not searched here"))));
  }

  static SessionEffect.BranchChanged branch(
      int number, BranchKind kind, BranchState state, long forkClock, long clocks) {
    return branch(number, kind, state, TrainingStart.FIRST, forkClock, clocks);
  }

  static SessionEffect.BranchChanged branch(
      int number,
      BranchKind kind,
      BranchState state,
      TrainingStart start,
      long forkClock,
      long clocks) {
    return new SessionEffect.BranchChanged(
        new BranchId(number),
        number == 0 ? Optional.empty() : Optional.of(BranchId.ROOT),
        kind,
        number == 0 ? 0 : 1,
        Setting.of(Map.of("learningRate", 0.1 * (number + 1))),
        state,
        start,
        forkClock,
        clocks,
        clocks * 0.5,
        number == 0
            ? Optional.empty()
            : Optional.of(
                new ProgressSummary(
                    Verdict.CONVERGING,
                    0.25,
                    0.3,
                    0.05,
                    -1,
                    4,
                    List.of(2.0, Double.NaN),
                    List.of(0.5, 1.0))),
        number == 0 ? Double.NaN : -0.75,
        number == 0 ? Optional.empty() : Optional.of("accuracy"),
        number == 0
            ? Optional.empty()
            : Optional.of(new SessionEffect.BestValidation("accuracy", Goal.MAXIMIZE, 0.75, 2.5)));
  }

  static SessionEffect.RoundChanged round(int number, String phase, String outcome) {
    return new SessionEffect.RoundChanged(
        number,
        RoundTrigger.INITIAL,
        phase,
        BranchId.ROOT,
        3,
        24,
        1.5,
        outcome.isEmpty() ? Optional.empty() : Optional.of(new BranchId(1)),
        outcome);
  }

  static SessionEffect.JobChanged job(JobState state) {
    return new SessionEffect.JobChanged(state, "reason", "a message", "");
  }

  static SessionEffect.Decide decide(String key) {
    var evidence = new LinkedHashMap<String, Object>();
    evidence.put("speeds", List.of(0.1, 0.2, Double.NaN));
    evidence.put("best", 0.2);
    evidence.put("count", 3L);
    evidence.put("late", true);
    return new SessionEffect.Decide(
        new Decision(key, "mltuner.fastest-trial", "took #1", "policy", 1, evidence));
  }
}
