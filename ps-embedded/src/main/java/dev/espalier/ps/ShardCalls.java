package dev.espalier.ps;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.Arrivals;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowTarget;
import dev.espalier.ps.transport.Transport;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// What a worker asks of the shards, and its waiting for their answers.
///
/// What is sent is not waited for; if it fails, the next [#ready] throws that. Every wait has the
/// configured timeout and then says what it waited for. Belongs to the session's thread.
final class ShardCalls {
  private static final int MAX_UNANSWERED_PER_SHARD = 64;
  private static final long EXPLAIN_SECONDS = 2;

  private final ParameterServerConfig config;
  private final Transport transport;
  private final Arrivals arrivals;
  private final Outstanding outstanding = new Outstanding();
  private boolean isClosed;

  /// @param arrivals what may be taken in while an answer is waited for
  ShardCalls(ParameterServerConfig config, Transport transport, Arrivals arrivals) {
    this.config = config;
    this.transport = transport;
    this.arrivals = arrivals;
  }

  /// How many workers, and so shards, there are.
  int workers() {
    return config.workers();
  }

  /// The rank of the worker, and so of the shard beside it.
  int worker() {
    return config.rank();
  }

  /// Throws what has failed since the last time.
  void ready() {
    if (isClosed) {
      throw new PsException(
          PsFault.CLOSED, "the session of worker %d is closed".formatted(worker()));
    }
    outstanding.throwFailure();
  }

  /// Commands in flight are not awaited.
  void close() {
    isClosed = true;
  }

  // ---- sending

  void sendToAll(ShardCommand command) {
    for (int shard = 0; shard < workers(); shard++) {
      send(shard, command);
    }
  }

  void send(int shard, ShardCommand command) {
    awaitUnanswered(maxUnanswered());
    outstanding.track(transport.send(shard, command));
  }

  /// Sends a command whose answer the caller judges.
  CompletableFuture<ShardReply> sendUnjudged(int shard, ShardCommand command) {
    awaitUnanswered(maxUnanswered());
    CompletableFuture<ShardReply> reply = transport.send(shard, command);
    outstanding.trackUnjudged(reply);
    return reply;
  }

  /// Sends a command that may be unanswered for as long as it likes.
  CompletableFuture<ShardReply> ask(int shard, ShardCommand command) {
    return transport.send(shard, command);
  }

  /// Asks for rows.
  ///
  /// @return [ShardReply.Delivered] once they are in the target
  CompletableFuture<ShardReply> read(
      int shard, Moment moment, int table, RowSelection rows, RowTarget to) {
    return transport.read(shard, reading(moment, table, rows), to);
  }

  /// The command that [#read] sends.
  ShardCommand.Read reading(Moment moment, int table, RowSelection rows) {
    return new ShardCommand.Read(
        moment.branch(), worker(), moment.clock(), moment.staleness(), table, rows);
  }

  // ---- waiting

  /// Waits for an answer; throws its failure.
  ShardReply await(int shard, CompletableFuture<ShardReply> pending) {
    long end = System.nanoTime() + config.timeout().toNanos();
    arrivals.takeInUntil(pending::isDone, config.timeout());
    try {
      ShardReply reply = pending.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      if (reply instanceof ShardReply.Failed failed) {
        throw failed.toException();
      }
      return reply;
    } catch (TimeoutException e) {
      throw timedOut("worker %d waits for shard %d".formatted(worker(), shard));
    } catch (ExecutionException e) {
      throw Outstanding.linkLost(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PsException(PsFault.INTERRUPTED, "interrupted while waiting for shard " + shard, e);
    }
  }

  /// Waits until rows are where they were wanted.
  ///
  /// @param replies of each shard, null of those that have none of the rows
  void awaitDelivered(List<@Nullable CompletableFuture<ShardReply>> replies) {
    for (int shard = 0; shard < replies.size(); shard++) {
      CompletableFuture<ShardReply> reply = replies.get(shard);
      if (reply != null) {
        awaitDelivered(shard, reply);
      }
    }
  }

  /// Waits until rows are where they were wanted.
  void awaitDelivered(int shard, CompletableFuture<ShardReply> pending) {
    ShardReply reply = await(shard, pending);
    if (!(reply instanceof ShardReply.Delivered)) {
      throw unexpected(reply);
    }
  }

  /// Waits until every command is answered.
  void awaitQuiet() {
    awaitUnanswered(0);
    ready();
  }

  private int maxUnanswered() {
    return MAX_UNANSWERED_PER_SHARD * workers();
  }

  private void awaitUnanswered(int most) {
    if (!outstanding.awaitAtMost(most, config.timeout().toNanos())) {
      throw timedOut(
          "%d commands of worker %d are unanswered".formatted(outstanding.count(), worker()));
    }
  }

  private PsException timedOut(String what) {
    StringBuilder message = new StringBuilder("%s after %s".formatted(what, config.timeout()));
    for (int shard = 0; shard < workers(); shard++) {
      String text = explain(shard);
      if (!text.isEmpty()) {
        message.append("; shard %d: %s".formatted(shard, text));
      }
    }
    return new PsException(PsFault.TIMED_OUT, message.toString());
  }

  private String explain(int shard) {
    try {
      ShardReply reply =
          transport
              .send(shard, new ShardCommand.Explain(worker()))
              .get(EXPLAIN_SECONDS, TimeUnit.SECONDS);
      return reply instanceof ShardReply.Explanation(String text) ? text : reply.toString();
    } catch (TimeoutException e) {
      return "does not answer";
    } catch (ExecutionException e) {
      return "cannot be reached: " + e.getCause();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "was not asked, the thread was interrupted";
    }
  }

  static PsException unexpected(ShardReply reply) {
    return new PsException(PsFault.INTERNAL, "a shard answered " + reply);
  }
}
