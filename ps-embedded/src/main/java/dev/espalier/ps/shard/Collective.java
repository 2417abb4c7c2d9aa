package dev.espalier.ps.shard;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;

/// A command that happens when every worker has sent it.
final class Collective {
  private final int workers;
  private final BitSet arrived = new BitSet();
  private final List<PendingReply> pending = new ArrayList<>();

  Collective(int workers) {
    this.workers = workers;
  }

  /// Counts a worker in.
  ///
  /// @return whether all have arrived
  boolean arrive(PendingReply command) {
    arrived.set(command.command().worker());
    pending.add(command);
    return arrived.cardinality() == workers;
  }

  /// The first worker's form of this command.
  ShardCommand first() {
    return pending.getFirst().command();
  }

  List<PendingReply> pending() {
    return pending;
  }

  boolean hasArrived(int worker) {
    return arrived.get(worker);
  }

  /// What this waits for, for people.
  String describe() {
    BitSet missing = new BitSet();
    missing.set(0, workers);
    missing.andNot(arrived);
    return "%s waits for workers %s".formatted(first(), missing);
  }
}
