package dev.espalier.ps.plan;

/// How the reads, or the updates, of one table in a clock are served.
///
/// @param log the accesses
/// @param packed their distinct rows, by slot
/// @param places of each access: the slot of its first row where its rows lie side by side and are
///   all first updates or none; else the place in `slots`, complemented
/// @param stores of each access whose rows lie side by side: whether they are first updates
/// @param slots of each row of the other accesses; complemented for a first update
record Track(AccessLog log, PackedRows packed, int[] places, boolean[] stores, int[] slots) {

  /// Whether each access is to one row, found by its number.
  boolean hasSingleRowsOnly() {
    for (int access = 0; access < log.size(); access++) {
      if (log.isByNumber(access) || log.count(access) != 1) {
        return false;
      }
    }
    return true;
  }
}
