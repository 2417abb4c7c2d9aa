package dev.espalier.tuner.app;

import java.util.ArrayDeque;
import java.util.Deque;

/// How many jobs may run at a time; others wait in the order in which they asked.
///
/// Thread-safe.
final class JobSlots {
  private final int most;
  private final Deque<Slot> waiting = new ArrayDeque<>();
  private int taken;
  private boolean isStopped;

  /// @param most jobs at a time, >= 1
  JobSlots(int most) {
    this.most = most;
  }

  /// A job's place: nowhere first, then in the queue, among those that run, and nowhere again.
  final class Slot implements AutoCloseable {
    private boolean isTaken;
    private boolean isClosed;

    /// Queues, once.
    void ask() {
      synchronized (JobSlots.this) {
        waiting.add(this);
        grant();
      }
    }

    /// Whether the job may run.
    boolean isTaken() {
      synchronized (JobSlots.this) {
        return isTaken;
      }
    }

    /// Takes the slot at once, beyond the limit if it must be: the job runs already.
    void insist() {
      synchronized (JobSlots.this) {
        if (!isTaken && !isClosed) {
          waiting.remove(this);
          take(this);
        }
      }
    }

    /// Gives the place up; further calls do nothing.
    @Override
    public void close() {
      synchronized (JobSlots.this) {
        if (isClosed) {
          return;
        }
        isClosed = true;
        waiting.remove(this);
        if (isTaken) {
          isTaken = false;
          taken--;
          grant();
        }
      }
    }
  }

  /// {@return a slot that does not queue yet}
  Slot slot() {
    return new Slot();
  }

  /// Lets no job begin any more: the places of those that stop are for the next server to give.
  synchronized void stop() {
    isStopped = true;
  }

  private void grant() {
    while (!isStopped && taken < most && !waiting.isEmpty()) {
      take(waiting.remove());
    }
  }

  private void take(Slot slot) {
    slot.isTaken = true;
    taken++;
  }
}
