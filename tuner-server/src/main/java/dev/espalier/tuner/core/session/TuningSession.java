package dev.espalier.tuner.core.session;

import java.util.List;

/// A job's tuning as a deterministic state machine: the same events give the same effects.
///
/// Not thread safe; one runner owns it. It reads no clock and no random source but the plan's seed,
/// so feeding the recorded events to a new session rebuilds the state, after a crash, in a test, or
/// to explain a decision.
public interface TuningSession {
  /// {@return what to do before any event: launch the first workers}
  List<SessionEffect> start();

  /// Takes one event and says what follows from it.
  List<SessionEffect> step(SessionEvent event);

  /// {@return whether the job has ended for good}
  boolean isEnded();
}
