package dev.espalier.ps.plan;

import dev.espalier.ps.kernel.LargeArrays;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.table.ArraySource;
import dev.espalier.ps.table.CutArray;
import dev.espalier.ps.table.PageSource;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowSlots;
import dev.espalier.ps.table.RowValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One worker's way along a plan, clock by clock: which accesses come next, and the updates so far.
///
/// An access that is not the next one of its kind to its table is not served; the caller then goes
/// the general way for the rest of the clock. Not thread-safe.
public final class PlanRun {
  private final AccessPlan plan;
  private final int shards;
  private final RowKernels kernels;
  private final ArraySource arrays;
  private final PageSource pages;
  private final PlanOptions options;
  private final Lane[] reads;
  private final Lane[] updates;
  private final FloatLanes floats;
  private final List<List<RowBatch>> single;

  /// Starts at the first accesses.
  ///
  /// @param plan the plan
  /// @param columns floats per row of each table
  /// @param shards number of shards
  /// @param kernels the arithmetic
  /// @param arrays gives arrays of a length, with whatever content
  /// @param pages gives pages for sums that had better lie there
  /// @param options which optimisations to use
  public PlanRun(
      AccessPlan plan,
      int[] columns,
      int shards,
      RowKernels kernels,
      ArraySource arrays,
      PageSource pages,
      PlanOptions options) {
    this.plan = plan;
    this.shards = shards;
    this.kernels = kernels;
    this.arrays = arrays;
    this.pages = pages;
    this.options = options;
    reads = new Lane[columns.length];
    updates = new Lane[columns.length];
    for (int table = 0; table < columns.length; table++) {
      reads[table] = new Lane(plan.readTrack(table), columns[table], options);
      updates[table] = new Lane(plan.updateTrack(table), columns[table], options);
    }
    floats = new FloatLanes(reads, updates);
    single = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      single.add(new ArrayList<>());
    }
  }

  /// The plan.
  public AccessPlan plan() {
    return plan;
  }

  /// Serves accesses to single floats, of this run.
  public FloatLanes floats() {
    return floats;
  }

  // ---- the way along

  /// Goes back to the first accesses and forgets the updates and the rows of the clock.
  public void restart() {
    for (int table = 0; table < reads.length; table++) {
      reads[table].next = 0;
      reads[table].forget();
      updates[table].next = 0;
    }
    single.forEach(List::clear);
  }

  /// Whether any access was made since the restart.
  public boolean hasBegun() {
    return hasUpdates() || Arrays.stream(reads).anyMatch(lane -> lane.next > 0);
  }

  /// Whether an access made since the restart was an update.
  public boolean hasUpdates() {
    return Arrays.stream(updates).anyMatch(lane -> lane.next > 0);
  }

  /// Whether all accesses of the clock were made.
  public boolean isComplete() {
    for (int table = 0; table < reads.length; table++) {
      if (reads[table].next < reads[table].accesses()
          || updates[table].next < updates[table].accesses()) {
        return false;
      }
    }
    return true;
  }

  /// Whether the next read of a table is of these rows.
  public boolean isNextRead(int table, long first, int count) {
    return isTable(table) && reads[table].isNext(first, count);
  }

  /// Whether the next read of a table is of these rows.
  public boolean isNextRead(int table, long[] rows, int count) {
    return isTable(table) && reads[table].isNext(rows, count);
  }

  private boolean isTable(int table) {
    return table >= 0 && table < reads.length;
  }

  /// Passes by the next read of a table, which the caller served in another way.
  public void skipRead(int table) {
    reads[table].next++;
  }

  // ---- reads

  /// Whether all reads of a table are of so many consecutive rows that asking for them anew is less
  /// work than a copy.
  public boolean readsLongRuns(int table) {
    return reads[table].isOfLongRuns();
  }

  /// The rows of the clock are here.
  ///
  /// @param values the rows that the plan reads, by table and slot; null of tables that are not
  ///   packed
  public void serve(float[] @Nullable [] values) {
    for (int table = 0; table < reads.length; table++) {
      float[] rows = values[table];
      if (rows != null) {
        reads[table].rows = rows;
      }
    }
  }

  /// The rows of the clock are not here any more.
  public void forgetRows() {
    for (Lane lane : reads) {
      lane.forget();
    }
  }

  /// Serves the next read of a table from the rows of the clock.
  ///
  /// @param target receives the rows
  /// @param offset where in `target`
  public void readNext(int table, float[] target, int offset) {
    Lane lane = reads[table];
    Track track = track(lane, table);
    float[] rows = lane.rows;
    if (!lane.isHere()) {
      throw new IllegalStateException("the rows of table " + table + " are not here");
    }
    int access = lane.next++;
    int width = lane.width;
    int place = track.places()[access];
    int count = track.log().count(access);
    RowSlots hash = lane.hashed;
    if (hash != null) {
      for (int k = 0; k < count; k++) {
        int slot = hash.slotOf(track.log().row(access, k));
        System.arraycopy(rows, slot * width, target, offset + k * width, width);
      }
    } else if (place < 0) {
      kernels.gather(rows, track.slots(), ~place, count, width, target, offset);
    } else {
      LargeArrays.copy(rows, place * width, target, offset, count * width);
    }
  }

  private static Track track(Lane lane, int table) {
    Track track = lane.track;
    if (track == null) {
      throw new IllegalStateException("the plan has no such access to table " + table);
    }
    return track;
  }

  // ---- updates

  /// Adds to the rows of the next update of a table if it is of these rows.
  ///
  /// @return whether it is
  public boolean addNext(int table, long first, int count, float[] values, int offset) {
    if (!isTable(table) || !updates[table].isNext(first, count)) {
      return false;
    }
    add(table, count, values, offset);
    return true;
  }

  /// Adds to the rows of the next update of a table if it is of these rows.
  ///
  /// @return whether it is
  public boolean addNext(int table, long[] rows, int count, float[] values) {
    if (!isTable(table) || !updates[table].isNext(rows, count)) {
      return false;
    }
    add(table, count, values, 0);
    return true;
  }

  private void add(int table, int count, float[] values, int offset) {
    Lane lane = updates[table];
    Track track = track(lane, table);
    int access = lane.next++;
    if (count == 0) {
      return;
    }
    if (!options.combinesUpdates()) {
      keep(track, access, table, values, offset);
      return;
    }
    int place = track.places()[access];
    RowValues.InPages inPages = pagesOf(lane, track, table);
    if (inPages != null) {
      if (track.stores()[access]) {
        inPages.set(place, count, values, offset);
      } else {
        inPages.add(place, count, values, offset);
      }
      return;
    }
    float[] sums = sums(lane, track);
    int width = lane.width;
    RowSlots hash = lane.hashed;
    if (place < 0) {
      scatter(lane, track, access, values, offset, sums);
    } else {
      int from = (hash == null ? place : hash.slotOf(track.log().row(access, 0))) * width;
      if (track.stores()[access] && !lane.isOfFloats()) {
        LargeArrays.copy(values, offset, sums, from, count * width);
      } else {
        LargeArrays.add(kernels, values, offset, sums, from, count * width);
      }
    }
  }

  /// The pages in which the sums of the clock lie; null when they lie in an array.
  private RowValues.@Nullable InPages pagesOf(Lane lane, Track track, int table) {
    if (lane.pages == null && !lane.isHere() && lane.isInOrder()) {
      lane.pages = pages.take(table, track.packed().count()).orElse(null);
    }
    return lane.pages;
  }

  /// The sums of the clock in an array, which they are moved to where they lie in pages.
  private float[] sums(Lane lane, Track track) {
    RowValues.InPages inPages = lane.pages;
    if (inPages != null) {
      lane.begin(inPages.download());
      lane.pages = null;
      inPages.release();
    } else if (!lane.isHere()) {
      lane.begin(arrays.take(track.packed().count() * lane.width));
    }
    return lane.rows;
  }

  /// Forgets the updates of the clock, which nobody wants any more.
  public void drop() {
    for (Lane lane : updates) {
      if (lane.pages != null) {
        lane.pages.release();
      }
      lane.forget();
    }
    restart();
  }

  /// Makes room for the sums of single floats, where there is none.
  public void beginFloats() {
    for (Lane lane : updates) {
      Track track = lane.track;
      if (track != null && lane.isOfFloats()) {
        sums(lane, track);
      }
    }
  }

  private void scatter(
      Lane lane, Track track, int access, float[] values, int offset, float[] sums) {
    int first = ~track.places()[access];
    int count = track.log().count(access);
    int width = lane.width;
    RowSlots hash = lane.hashed;
    if (hash == null) {
      kernels.scatterAdd(values, offset, track.slots(), first, count, width, sums);
      return;
    }
    for (int k = 0; k < count; k++) {
      boolean isFirst = track.slots()[first + k] < 0;
      int to = hash.slotOf(track.log().row(access, k)) * width;
      if (isFirst) {
        System.arraycopy(values, offset + k * width, sums, to, width);
      } else {
        kernels.add(values, offset + k * width, sums, to, width);
      }
    }
  }

  /// Keeps an update as a batch of its own for each shard that has rows of it.
  private void keep(Track track, int access, int table, float[] values, int offset) {
    int width = updates[table].width;
    int count = track.log().count(access);
    PackedRows packed = track.packed();
    for (int shard = 0; shard < shards; shard++) {
      PackedRows.Part part = packed.parts().get(shard);
      int end = part.firstSlot() + part.rows().count();
      RowSlots rows = new RowSlots();
      float[] kept = new float[count * width];
      for (int k = 0; k < count; k++) {
        long row = track.log().row(access, k);
        int slot = packed.slotOf(row);
        if (slot >= part.firstSlot() && slot < end) {
          kernels.add(values, offset + k * width, kept, rows.slotOf(row) * width, width);
        }
      }
      if (rows.size() > 0) {
        long[] keys = new long[rows.size()];
        Arrays.setAll(keys, rows::row);
        single
            .get(shard)
            .add(
                new RowBatch(
                    table, new RowSelection.Keys(keys), Arrays.copyOf(kept, keys.length * width)));
      }
    }
  }

  /// What takes updates out of a run that left its plan.
  public interface UpdateSink {
    /// @param values `count x columns` values of rows that occur once
    void add(int table, long[] rows, int count, float[] values);
  }

  /// Hands over the updates so far, each row's sum once, and restarts.
  public void leave(UpdateSink sink) {
    for (List<RowBatch> batches : single) {
      for (RowBatch batch : batches) {
        long[] keys = new long[batch.rows().count()];
        Arrays.setAll(keys, batch.rows()::row);
        sink.add(batch.table(), keys, keys.length, batch.values());
      }
    }
    if (options.combinesUpdates()) {
      for (int table = 0; table < updates.length; table++) {
        for (int access = 0; access < updates[table].next; access++) {
          leave(updates[table], table, access, sink);
        }
        updates[table].forget();
      }
    }
    restart();
  }

  /// Hands over the sums of the rows that an access updated first.
  private void leave(Lane lane, int table, int access, UpdateSink sink) {
    Track track = track(lane, table);
    float[] sums = sums(lane, track);
    int width = lane.width;
    int count = track.log().count(access);
    int place = track.places()[access];
    long[] rows = new long[count];
    float[] values = new float[count * width];
    int found = 0;
    for (int k = 0; k < count; k++) {
      boolean isFirst = place < 0 ? track.slots()[~place + k] < 0 : track.stores()[access];
      if (isFirst) {
        int slot = place < 0 ? ~track.slots()[~place + k] : place + k;
        rows[found] = track.log().row(access, k);
        System.arraycopy(sums, slot * width, values, found * width, width);
        found++;
      }
    }
    sink.add(table, rows, found, values);
  }

  /// Takes the updates of a complete clock out and restarts.
  ///
  /// @return batches by shard; a table that the plan updates has at least an empty batch for each
  ///   shard
  public List<List<RowBatch>> drain() {
    if (!isComplete()) {
      throw new IllegalStateException("all accesses of the clock must be made first");
    }
    List<List<RowBatch>> byShard = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      byShard.add(new ArrayList<>(single.get(shard)));
    }
    for (int table = 0; table < updates.length; table++) {
      Lane lane = updates[table];
      Track track = lane.track;
      if (track != null && !options.combinesUpdates()) {
        for (List<RowBatch> batches : byShard) {
          batches.add(RowBatch.empty(table));
        }
        lane.forget();
      } else if (track != null && lane.pages != null) {
        RowSelection rows = track.packed().parts().getFirst().rows();
        byShard.getFirst().add(new RowBatch(table, rows, lane.pages));
        lane.forget();
      } else if (track != null) {
        var sums = new CutArray(sums(lane, track), arrays);
        for (int shard = 0; shard < shards; shard++) {
          byShard.get(shard).add(drained(sums, lane, track, table, shard));
        }
        sums.end();
        lane.forget();
      }
    }
    restart();
    return byShard;
  }

  private RowBatch drained(CutArray sums, Lane lane, Track track, int table, int shard) {
    PackedRows.Part part = track.packed().parts().get(shard);
    int count = part.rows().count();
    if (count == 0) {
      return RowBatch.empty(table);
    }
    int width = lane.width;
    return new RowBatch(table, part.rows(), sums.part(part.firstSlot() * width, count * width));
  }
}
