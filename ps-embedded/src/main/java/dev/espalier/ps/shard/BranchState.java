package dev.espalier.ps.shard;

import dev.espalier.ps.clock.SspClock;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a shard knows of a living branch besides its pages.
///
/// Fields are written by the shard that owns it, under its lock.
final class BranchState {
  final SspClock clock;
  final SeenPages seen = new SeenPages();
  final List<PendingReply> parkedReads = new ArrayList<>();

  /// Pushes of clocks that not all workers have ended, at staleness 0; by clock, then rank.
  final TreeMap<Long, ShardCommand.@Nullable Push[]> heldPushes = new TreeMap<>();

  Staleness staleness = Staleness.bulkSynchronous();

  /// How many [OpenPages] the program has open.
  int openTables;

  @Nullable Collective free;
  @Nullable Collective save;

  /// Why the branch can only be freed; set when an update could be applied only in part or not at
  /// all, so that going on would not be what the workers asked for.
  @Nullable PsException failure;

  /// Takes the pushes of the first clock that are held.
  List<ShardCommand.Push> pollHeld() {
    return Arrays.stream(heldPushes.pollFirstEntry().getValue())
        .<ShardCommand.Push>mapMulti((push, next) -> {
          if (push != null) {
            next.accept(push);
          }
        })
        .toList();
  }

  BranchState(int workers) {
    clock = new SspClock(workers);
  }
}
