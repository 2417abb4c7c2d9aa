package dev.espalier.ps.plan;

/// Which optimisations an access plan uses. At staleness 0 results are the same with any of them,
/// but for the rounding of sums where updates are not combined; at a larger one, rows that are
/// fetched together or ahead may miss updates that a later read would have seen.
///
/// Source: Cui et al., Exploiting iterative-ness for parallel ML computations, SoCC 2014, section
/// 3.
///
/// @param packsRows whether all rows of a clock are fetched together, packed by shard, instead of
///   one request for each read; tables of which only long runs of rows are read, and which lie in
///   this process, need none
/// @param usesSlots whether a row's place is known from the plan instead of found by hash
/// @param prefetches whether the rows of the next clock are asked for when a clock ends
/// @param combinesUpdates whether updates of one row are added up before they leave
public record PlanOptions(
    boolean packsRows, boolean usesSlots, boolean prefetches, boolean combinesUpdates) {

  /// Everything on.
  public static PlanOptions all() {
    return new PlanOptions(true, true, true, true);
  }

  /// These options with one request for each read.
  public PlanOptions withoutPacking() {
    return new PlanOptions(false, usesSlots, prefetches, combinesUpdates);
  }

  /// These options with rows found by hash.
  public PlanOptions withoutSlots() {
    return new PlanOptions(packsRows, false, prefetches, combinesUpdates);
  }

  /// These options with rows asked for when they are first needed.
  public PlanOptions withoutPrefetching() {
    return new PlanOptions(packsRows, usesSlots, false, combinesUpdates);
  }

  /// These options with every update sent by itself.
  public PlanOptions withoutCombining() {
    return new PlanOptions(packsRows, usesSlots, prefetches, false);
  }
}
