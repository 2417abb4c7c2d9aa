package dev.espalier.ps;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardReply;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The commands whose answers the worker has not waited for.
///
/// Thread-safe: answers arrive on any thread.
final class Outstanding {
  private int count;
  private @Nullable PsException failure;

  /// Counts a command until its answer comes; the first failure is kept.
  void track(CompletableFuture<ShardReply> reply) {
    begin();
    reply.whenComplete((answer, error) -> settle(failureOf(answer, error)));
  }

  /// Counts a command until its answer comes; somebody else sees to its failure.
  void trackUnjudged(CompletableFuture<ShardReply> reply) {
    begin();
    reply.whenComplete((_, _) -> settle(null));
  }

  private synchronized void begin() {
    count++;
  }

  private static @Nullable PsException failureOf(
      @Nullable ShardReply answer, @Nullable Throwable error) {
    if (error != null) {
      return linkLost(error);
    }
    return answer instanceof ShardReply.Failed failed ? failed.toException() : null;
  }

  /// The failure of a transport as one of ours.
  static PsException linkLost(Throwable error) {
    Throwable cause = error;
    while (!(cause instanceof PsException) && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause instanceof PsException known
        ? known
        : new PsException(PsFault.LINK_LOST, "a shard cannot be reached: " + cause, error);
  }

  private synchronized void settle(@Nullable PsException failed) {
    count--;
    if (failure == null) {
      failure = failed;
    }
    notifyAll();
  }

  /// Throws the first failure since the last time, if there is one.
  synchronized void throwFailure() {
    PsException found = failure;
    if (found != null) {
      failure = null;
      throw found;
    }
  }

  /// Waits until at most `most` commands are unanswered.
  ///
  /// @return false when it took too long
  synchronized boolean awaitAtMost(int most, long timeoutNanos) {
    long deadlineNanos = System.nanoTime() + timeoutNanos;
    while (count > most) {
      long leftNanos = deadlineNanos - System.nanoTime();
      if (leftNanos <= 0) {
        return false;
      }
      try {
        TimeUnit.NANOSECONDS.timedWait(this, leftNanos);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new PsException(
            PsFault.INTERRUPTED, "interrupted while %d answers were awaited".formatted(count), e);
      }
    }
    return true;
  }

  /// Number of commands unanswered.
  synchronized int count() {
    return count;
  }
}
