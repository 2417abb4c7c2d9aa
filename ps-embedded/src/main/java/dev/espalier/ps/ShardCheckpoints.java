package dev.espalier.ps;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.branch.Snapshot;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/// Writes snapshots of a branch's rows in the shard of this process, while training goes on.
///
/// Belongs to the session's thread; writing has its own.
final class ShardCheckpoints {
  private final ParameterServer server;
  private final ShardCalls calls;

  ShardCheckpoints(ParameterServer server, ShardCalls calls) {
    this.server = server;
    this.calls = calls;
  }

  /// Has all shards pin a branch, and writes this process's.
  ///
  /// @return completes when the file is on the disk, or with a [PsException]
  CompletableFuture<Void> write(BranchRef branch, Path file) {
    CompletableFuture<Void> written = new CompletableFuture<>();
    for (int shard = 0; shard < calls.workers(); shard++) {
      CompletableFuture<ShardReply> reply =
          calls.sendUnjudged(shard, new ShardCommand.Save(branch, calls.worker()));
      if (shard == calls.worker()) {
        reply.whenComplete((answer, error) -> write(answer, error, file, written));
      }
    }
    return written;
  }

  private void write(
      @Nullable ShardReply reply,
      @Nullable Throwable error,
      Path file,
      CompletableFuture<Void> written) {
    if (error != null) {
      written.completeExceptionally(Outstanding.linkLost(error));
    } else if (reply instanceof ShardReply.SnapshotTaken(long ticket)) {
      write(server.shard().takeSnapshot(ticket), file, written);
    } else if (reply instanceof ShardReply.Failed failed) {
      written.completeExceptionally(failed.toException());
    }
  }

  private void write(Snapshot snapshot, Path file, CompletableFuture<Void> written) {
    try {
      server
          .checkpointThread()
          .execute(() -> {
            try (snapshot) {
              server.shard().writeCheckpoint(snapshot, file);
              written.complete(null);
            } catch (PsException e) {
              written.completeExceptionally(e);
            } catch (Throwable e) { // Who waits must hear of an error, too.
              written.completeExceptionally(
                  new PsException(
                      PsFault.CHECKPOINT_FAILED, "checkpoint to %s: %s".formatted(file, e), e));
            }
          });
    } catch (RejectedExecutionException e) {
      snapshot.close();
      written.completeExceptionally(
          new PsException(
              PsFault.CHECKPOINT_FAILED,
              "checkpoint to %s is refused: too many are waiting, or the server is closed"
                  .formatted(file),
              e));
    }
  }
}
