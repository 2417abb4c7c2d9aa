package dev.espalier.tuner.app;

import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;

/// Who of a generation's workers is there, and how long the others may stay away.
///
/// A worker that is away keeps training, so a short break costs nothing; one that stays away longer
/// than its lease, or whose process has ended, is lost, and the generation with it. Workers that
/// come by themselves are waited for without a lease until all of them have been there.
public final class WorkerLeases {
  private final Times times;
  private final State[] states;

  WorkerLeases(int workers, Times times, long nowNanos) {
    this.times = times;
    this.states = new State[workers];
    Arrays.fill(states, new State.Away(nowNanos, times.start()));
  }

  /// Workers that somebody else starts, at a time of his own.
  static WorkerLeases awaiting(int workers, Times times) {
    var leases = new WorkerLeases(workers, times, 0);
    Arrays.fill(leases.states, new State.Awaited());
    return leases;
  }

  /// How long a worker may stay away.
  ///
  /// @param start before it attached for the first time, or after the server came back
  /// @param reconnect after its link broke
  /// @param launch how long to go on trying where processes cannot be started; zero for one try
  public record Times(Duration start, Duration reconnect, Duration launch) {
    public Times {
      if (!start.isPositive() || !reconnect.isPositive()) {
        throw new IllegalArgumentException(
            "leases must be positive but are " + start + " and " + reconnect);
      }
    }
  }

  private sealed interface State {
    record Awaited() implements State {}

    record There() implements State {}

    record Away(long sinceNanos, Duration lease) implements State {}

    record Gone(OptionalInt status) implements State {}
  }

  void attach(int worker, long nowNanos) {
    states[worker] = new State.There();
  }

  void detach(int worker, long nowNanos) {
    if (states[worker] instanceof State.There) {
      boolean areAwaited = Arrays.stream(states).anyMatch(State.Awaited.class::isInstance);
      states[worker] =
          areAwaited ? new State.Awaited() : new State.Away(nowNanos, times.reconnect());
    }
  }

  /// @param status empty where it is not known
  void exit(int worker, OptionalInt status) {
    states[worker] = new State.Gone(status);
  }

  long attached() {
    return Arrays.stream(states).filter(State.There.class::isInstance).count();
  }

  /// {@return why the generation is lost, in words; empty while it is not}
  Optional<String> lost(long nowNanos) {
    for (int worker = 0; worker < states.length; worker++) {
      switch (states[worker]) {
        case State.Gone(OptionalInt status) -> {
          return Optional.of(
              "worker "
                  + worker
                  + (status.isPresent() ? " ended with status " + status.getAsInt() : " is gone"));
        }
        case State.Away(long since, Duration lease) -> {
          if (nowNanos - since > lease.toNanos()) {
            return Optional.of(
                "worker " + worker + " was away for more than " + lease.toSeconds() + " s");
          }
        }
        case State.Awaited(), State.There() -> {}
      }
    }
    return Optional.empty();
  }
}
