package dev.espalier.tuner.app;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/// What has come for a job and waits for its runner.
///
/// What workers say is always taken: the gateway asks them for no more than there is room for. Any
/// thread may add; one takes.
final class Mailbox {
  /// More requests than these are turned away.
  static final int MAX_MESSAGES = 100_000;

  /// Of all reports that wait; one clock is some hundred bytes.
  private static final long MAX_CLOCKS = 50_000;

  private final LinkedBlockingQueue<Message> queue = new LinkedBlockingQueue<>();
  private final AtomicLong clocksWaiting = new AtomicLong();
  private final Runnable onRoom;

  /// @param onRoom hears that reports are taken again
  Mailbox(Runnable onRoom) {
    this.onRoom = onRoom;
  }

  sealed interface Message {}

  /// What is said of a generation's workers.
  sealed interface OfWorkers extends Message {
    int generation();
  }

  record Attached(int generation, int worker) implements OfWorkers {}

  record Detached(int generation, int worker, String reason) implements OfWorkers {}

  record Reported(int generation, int worker, long sequence, WorkerReport report, long nanos)
      implements OfWorkers {
    /// What it takes in memory, in clocks.
    private long clocks() {
      return switch (report) {
        case WorkerReport.Progressed progressed -> progressed.seconds().size();
        case WorkerReport.Evaluated evaluated -> 1 + evaluated.losses().size();
        case WorkerReport.Ready _,
            WorkerReport.CheckpointWritten _,
            WorkerReport.CheckpointFailed _,
            WorkerReport.Forked _,
            WorkerReport.Failed _ ->
            1;
      };
    }
  }

  record Exited(int generation, int worker, OptionalInt status) implements OfWorkers {}

  record Stalled(int generation, int worker, String what, boolean timedOut) implements OfWorkers {}

  record NotLaunched(int generation, EspalierException failure) implements OfWorkers {}

  /// What a person asks.
  record Asked(UserRequest request, String actor, Turn turn) implements Message {}

  /// Nothing but a reason to look around.
  record Wake() implements Message {}

  void add(OfWorkers message) {
    clocksWaiting.addAndGet(clocks(message));
    queue.add(message);
  }

  void wake() {
    queue.add(new Wake());
  }

  /// {@return whether the request waits now; not where too much does}
  boolean offer(Asked request) {
    return queue.size() < MAX_MESSAGES && queue.add(request);
  }

  /// {@return whether workers may report}
  boolean hasRoom() {
    return clocksWaiting.get() < MAX_CLOCKS;
  }

  /// {@return what has come, in order; empty when nothing comes in time}
  ///
  /// @param most what to take at a time, >= 1; the rest stays
  List<Message> await(Duration patience, int most) throws InterruptedException {
    var arrived = new ArrayList<Message>();
    Message first = queue.poll(patience.toMillis(), TimeUnit.MILLISECONDS);
    if (first != null) {
      arrived.add(first);
      queue.drainTo(arrived, most - 1);
      makeRoom(arrived.stream().mapToLong(Mailbox::clocks).sum());
    }
    return arrived;
  }

  private void makeRoom(long clocks) {
    long before = clocksWaiting.getAndAdd(-clocks);
    if (before >= MAX_CLOCKS && before - clocks < MAX_CLOCKS) {
      onRoom.run();
    }
  }

  private static long clocks(Message message) {
    return message instanceof Reported reported ? reported.clocks() : 0;
  }

  /// {@return the requests that wait; nothing does any more}
  List<Asked> takeRequests() {
    var rest = new ArrayList<Message>();
    queue.drainTo(rest);
    return rest.stream().filter(Asked.class::isInstance).map(Asked.class::cast).toList();
  }
}
