package dev.espalier.ps.shard;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/// The order of each worker's commands around collective ones: what a worker sends after one waits
/// in its lane until all workers have sent it.
///
/// Barriers and questions pass by. A lane is as long as its sender allows. Not thread-safe; the
/// shard guards it.
final class WorkerLanes {

  private static final class Lane {
    private final Queue<PendingReply> commands = new ArrayDeque<>();
    private @Nullable Collective stoppedAt;
  }

  private final List<Lane> lanes = new ArrayList<>();

  WorkerLanes(int workers) {
    for (int i = 0; i < workers; i++) {
      lanes.add(new Lane());
    }
  }

  /// Puts a command into its worker's lane if it has to wait.
  ///
  /// @return whether it has to
  boolean queue(PendingReply pending) {
    return switch (pending.command()) {
      case ShardCommand.Barrier _, ShardCommand.Withdraw _, ShardCommand.Explain _ -> false;
      default -> {
        Lane lane = lanes.get(pending.command().worker());
        boolean waits = lane.stoppedAt != null;
        if (waits) {
          lane.commands.add(pending);
        }
        yield waits;
      }
    };
  }

  /// Stops a worker's lane until a collective command is complete.
  void stop(int worker, Collective collective) {
    lanes.get(worker).stoppedAt = collective;
  }

  /// Lets the lanes go on that were stopped at a collective command.
  void open(Collective collective) {
    for (Lane lane : lanes) {
      if (lane.stoppedAt == collective) {
        lane.stoppedAt = null;
      }
    }
  }

  /// The next command that need not wait any more, lowest rank first; null when all wait.
  @Nullable PendingReply poll() {
    for (Lane lane : lanes) {
      if (lane.stoppedAt == null && !lane.commands.isEmpty()) {
        return lane.commands.poll();
      }
    }
    return null;
  }

  /// Takes out all commands that wait.
  ///
  /// @return those, lowest rank first
  List<PendingReply> clear() {
    List<PendingReply> waiting = new ArrayList<>();
    for (Lane lane : lanes) {
      waiting.addAll(lane.commands);
      lane.commands.clear();
    }
    return waiting;
  }
}
