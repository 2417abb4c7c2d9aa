package dev.espalier.ps.plan;

/// The lanes of a run whose accesses are to single rows of a single float, as PageRank's are.
///
/// Such an access is a load or a store, and becomes one in the loop that makes it, where nothing
/// stands in the compiler's way: a branch that was taken once brings a call into the loop, and with
/// it all that must be loaded again. So what tells other accesses apart comes first, and is known
/// where the loop is compiled.
public final class FloatLanes {
  /// None at all.
  public static final FloatLanes NONE = new FloatLanes(new Lane[0], new Lane[0]);

  private final Lane[] reads;
  private final Lane[] updates;

  /// @param reads by table
  /// @param updates by table
  FloatLanes(Lane[] reads, Lane[] updates) {
    this.reads = ofFloats(reads);
    this.updates = ofFloats(updates);
    if (areThere(this.reads) || areThere(this.updates)) {
      FirstPlan.comes();
    }
  }

  private static Lane[] ofFloats(Lane[] lanes) {
    Lane[] chosen = new Lane[lanes.length];
    for (int table = 0; table < lanes.length; table++) {
      chosen[table] = lanes[table].isOfFloats() ? lanes[table] : Lane.NONE;
    }
    return chosen;
  }

  /// Whether anything is read this way.
  public boolean areRead() {
    return areThere(reads);
  }

  private static boolean areThere(Lane[] lanes) {
    for (Lane lane : lanes) {
      if (lane.isOfFloats()) {
        return true;
      }
    }
    return false;
  }

  /// Serves the next read of a table if it is of this row alone, and the rows are here.
  ///
  /// @param count number of rows; if it is not 1 nothing is served
  /// @return whether it was served
  public boolean read(int table, long row, int count, float[] target, int offset) {
    if (count != 1 || !FirstPlan.hasCome()) {
      return false;
    }
    if (table < 0 || table >= reads.length || offset < 0 || offset >= target.length) {
      return false;
    }
    Lane lane = reads[table];
    int access = lane.next;
    long word = lane.words[access];
    float[] rows = lane.rows;
    int slot = (int) word;
    if (word >> Lane.ROW_SHIFT != row || slot < 0 || slot >= rows.length) {
      return false;
    }
    target[offset] = rows[slot];
    lane.next = access + 1;
    return true;
  }

  /// Serves the next update of a table if it is of this row alone, and there is room for sums.
  ///
  /// @param count number of rows; if it is not 1 nothing is served
  /// @return whether it was served
  public boolean add(int table, long row, int count, float[] values, int offset) {
    if (count != 1 || !FirstPlan.hasCome()) {
      return false;
    }
    if (table < 0 || table >= updates.length || offset < 0 || offset >= values.length) {
      return false;
    }
    Lane lane = updates[table];
    int access = lane.next;
    long word = lane.words[access];
    float[] sums = lane.rows;
    int slot = (int) word;
    if (word >> Lane.ROW_SHIFT != row || slot < 0 || slot >= sums.length) {
      return false;
    }
    sums[slot] += values[offset];
    lane.next = access + 1;
    return true;
  }
}
