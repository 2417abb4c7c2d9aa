package dev.espalier.tuner.app;

import dev.espalier.api.model.JobState;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.JobTryout.Opened;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.Optional;

/// What can be told of a job that has not begun.
public final class JobForecast {
  private JobForecast() {}

  /// {@return why the job would fail here as soon as its workers are there; empty where it would
  /// not}
  ///
  /// Its policy itself is asked, in a session of its own, that is given up.
  ///
  /// @param opened what opening the program told
  public static Optional<String> failure(JobSpec spec, ProgramDescriptor program, Opened opened) {
    return switch (opened) {
      case Opened.Refused(String problem) ->
          Optional.of("a worker on this server cannot open it: " + problem);
      case Opened.Shaped shape -> firstWord(spec, program, shape);
    };
  }

  private static Optional<String> firstWord(
      JobSpec spec, ProgramDescriptor program, Opened.Shaped shape) {
    TuningSession session = Policies.open(JobPlans.of(spec, program));
    session.start();
    var ready =
        new SessionEvent.WorkersReady(
            0, 1, spec.workers(), shape.trainingSamples(), shape.defaultBatchSize(), 0);
    return session.step(ready).stream()
        .filter(SessionEffect.JobChanged.class::isInstance)
        .map(SessionEffect.JobChanged.class::cast)
        .filter(change -> change.state() == JobState.FAILED)
        .map(change -> "it would fail at once: " + change.message())
        .findFirst();
  }
}
