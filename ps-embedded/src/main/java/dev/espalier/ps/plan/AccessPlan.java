package dev.espalier.ps.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How to serve the clocks of a program that always makes the same accesses.
///
/// Immutable; made by [PlanCompiler]. Says for each access of the log where its rows lie in buffers
/// that hold exactly the rows of the clock, and for updates which of them come first: those are
/// stored, so that buffers need not be cleared.
public final class AccessPlan {
  private final int accesses;
  private final List<@Nullable Track> reads;
  private final List<@Nullable Track> updates;

  AccessPlan(int accesses, List<@Nullable Track> reads, List<@Nullable Track> updates) {
    this.accesses = accesses;
    this.reads = reads;
    this.updates = updates;
  }

  /// Number of accesses of a clock.
  public int accesses() {
    return accesses;
  }

  /// The rows of a table that a clock reads; null when it reads none of it.
  public @Nullable PackedRows reads(int table) {
    return packed(reads.get(table));
  }

  /// The rows of a table that a clock updates; null when it updates none of it.
  public @Nullable PackedRows updates(int table) {
    return packed(updates.get(table));
  }

  private static @Nullable PackedRows packed(@Nullable Track track) {
    return track == null ? null : track.packed();
  }

  @Nullable Track readTrack(int table) {
    return reads.get(table);
  }

  @Nullable Track updateTrack(int table) {
    return updates.get(table);
  }
}
