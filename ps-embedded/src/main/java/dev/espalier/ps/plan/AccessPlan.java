package dev.espalier.ps.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// How to serve the clocks of a program that always makes the same accesses.
///
/// Immutable; made by [PlanCompiler]. Says for each access of the log where its rows lie in buffers
/// that hold exactly the rows of the clock, and for updates which of them come first: those are
/// stored, so that buffers need not be cleared.
public final class AccessPlan {
  final AccessLog log;
  /* Slot of the first row where the rows of an access lie side by side and are all first updates or
   * none; else the place in `slots`, complemented. */
  final int[] places;
  final boolean[] stores;
  /* Slot of each row of a scattered access; complemented for a first update. */
  final int[] slots;
  private final List<@Nullable PackedRows> reads;
  private final List<@Nullable PackedRows> updates;

  AccessPlan(
      AccessLog log,
      int[] places,
      boolean[] stores,
      int[] slots,
      List<@Nullable PackedRows> reads,
      List<@Nullable PackedRows> updates) {
    this.log = log;
    this.places = places;
    this.stores = stores;
    this.slots = slots;
    this.reads = reads;
    this.updates = updates;
  }

  /// Number of accesses of a clock.
  public int accesses() {
    return log.size();
  }

  /// The rows of a table that a clock reads; null when it reads none of it.
  public @Nullable PackedRows reads(int table) {
    return reads.get(table);
  }

  /// The rows of a table that a clock updates; null when it updates none of it.
  public @Nullable PackedRows updates(int table) {
    return updates.get(table);
  }
}
