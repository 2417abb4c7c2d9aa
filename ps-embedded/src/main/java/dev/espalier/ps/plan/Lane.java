package dev.espalier.ps.plan;

import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowSlots;
import dev.espalier.ps.table.RowValues;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One worker's way along a track, clock by clock: which access comes next, and the rows.
///
/// Where all accesses are to single rows of a single float there is a word for each, with which the
/// row is compared and from which its slot comes; and nothing of an access depends on whether it is
/// its row's first: sums begin with -0, which changes no number that is added to it.
///
/// Not thread-safe.
final class Lane {
  /// Of a clock without such accesses to the table.
  static final Lane NONE = new Lane(null, 1, PlanOptions.all());

  static final int ROW_SHIFT = 32;
  private static final int MIN_LONG_FLOATS = 1 << 12;
  private static final float NEUTRAL = -0f;

  /* Of no row, and its slot is none. */
  private static final long LAST_WORD = -1;
  private static final float[] ABSENT = new float[0];

  /* Null where the clock has no such access to the table. */
  final @Nullable Track track;

  /// Floats of a row.
  final int width;

  /// Of each access to a single float: its row in the upper half, its slot in the lower; and one
  /// more, of no access, which is the only one where not all accesses are such ones.
  final long[] words;

  /// Slots by hashing, when they are not to come from the plan.
  final @Nullable RowSlots hashed;

  private final boolean isInOrder;
  private final boolean isOfLongRuns;

  /// The access that comes next.
  int next;

  /// What was read, or what is added up, by slot; none until it is here.
  float[] rows = ABSENT;

  /// Where sums lie in place of `rows`.
  RowValues.@Nullable InPages pages;

  Lane(@Nullable Track track, int width, PlanOptions options) {
    this.track = track;
    this.width = width;
    boolean isDirect = options.usesSlots() && options.combinesUpdates() && width == 1;
    words = track != null && isDirect ? words(track) : new long[] {LAST_WORD};
    hashed = track == null || options.usesSlots() ? null : hashed(track.packed());
    isInOrder = track != null && hashed == null && !isOfFloats() && isInOrder(track);
    isOfLongRuns = track != null && isOfLongRuns(track, width);
  }

  private static boolean isInOrder(Track track) {
    return track.packed().parts().size() == 1
        && track.packed().parts().getFirst().rows() instanceof RowSelection.Range
        && Arrays.stream(track.places()).allMatch(place -> place >= 0);
  }

  private static boolean isOfLongRuns(Track track, int width) {
    for (int access = 0; access < track.log().size(); access++) {
      if (track.log().isByNumber(access)
          || (long) track.log().count(access) * width < MIN_LONG_FLOATS) {
        return false;
      }
    }
    return true;
  }

  private static long[] words(Track track) {
    long[] rows = track.packed().rows();
    if (!track.hasSingleRowsOnly() || rows[rows.length - 1] > Integer.MAX_VALUE) {
      return new long[] {LAST_WORD};
    }
    int accesses = track.log().size();
    long[] words = new long[accesses + 1];
    for (int access = 0; access < accesses; access++) {
      words[access] = track.log().row(access, 0) << ROW_SHIFT | track.places()[access];
    }
    words[accesses] = LAST_WORD;
    return words;
  }

  private static RowSlots hashed(PackedRows packed) {
    RowSlots slots = new RowSlots();
    for (long row : packed.rows()) {
      slots.slotOf(row);
    }
    return slots;
  }

  /// Whether all accesses are to single rows of a single float.
  boolean isOfFloats() {
    return words.length > 1;
  }

  /// Whether the rows of the clock, or room for sums, are here.
  boolean isHere() {
    return rows != ABSENT;
  }

  /// The rows of the clock, or the sums, are not here any more.
  void forget() {
    rows = ABSENT;
    pages = null;
  }

  /// Whether all accesses are to rows that lie side by side, and are the rows of a range in their
  /// order; not of single floats one by one, whose sums have a beginning.
  boolean isInOrder() {
    return isInOrder;
  }

  /// Whether all accesses are to so many consecutive rows that asking for them anew is less work
  /// than a copy.
  boolean isOfLongRuns() {
    return isOfLongRuns;
  }

  /// Makes room for sums.
  ///
  /// @param array as long as needed, with whatever content
  void begin(float[] array) {
    if (isOfFloats()) {
      Arrays.fill(array, NEUTRAL);
    }
    rows = array;
  }

  int accesses() {
    return track == null ? 0 : track.log().size();
  }

  boolean isNext(long first, int count) {
    return track != null && track.log().isRange(next, first, count);
  }

  boolean isNext(long[] numbers, int count) {
    return track != null && track.log().isRows(next, numbers, count);
  }
}
