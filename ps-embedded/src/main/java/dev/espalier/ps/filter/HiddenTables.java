package dev.espalier.ps.filter;

import dev.espalier.ps.table.TableAccess;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The tables in which workers carry what they did not send, behind the visible ones, with the rows
/// of one worker together.
///
/// Tables whose rule adds sums up are left alone: their values are counts, or changes that somebody
/// waits for, and must be there in the next clock.
final class HiddenTables {
  static final int CLOCK = 0;
  static final int SAMPLES = 1;

  /// Columns of the counts table before one for each visible table, which says whether it was
  /// fetched.
  static final int COUNTS = 2;

  private static final int NONE = -1;

  private final int visible;
  private final List<TableSpec> hidden = new ArrayList<>();
  private final boolean[] isFiltered;
  private final int[] carried;
  private final int[] held;
  private final int[] fetched;
  private final int counts;

  /// @param visible tables of the program
  HiddenTables(FilterOptions options, List<TableSpec> visible) {
    this.visible = visible.size();
    isFiltered = new boolean[visible.size()];
    carried = new int[visible.size()];
    held = new int[visible.size()];
    fetched = new int[visible.size()];
    for (int[] places : List.of(carried, held, fetched)) {
      Arrays.fill(places, NONE);
    }
    for (int table = 0; table < visible.size(); table++) {
      TableSpec spec = visible.get(table);
      isFiltered[table] = spec.takesMeans();
      if (isFiltered[table] && options.carries()) {
        carried[table] = add(copy(spec, "carried"));
        held[table] = options.pushEvery() > 1 ? add(HeldMarks.table(spec)) : NONE;
      }
      if (isFiltered[table] && options.fetchEvery() > 1 && spec.access() != TableAccess.SPARSE) {
        fetched[table] = add(copy(spec, "fetched"));
      }
    }
    counts =
        options.counts()
            ? add(TableSpec.dense("filter#counts", 1, COUNTS + visible.size(), "sgd"))
            : NONE;
  }

  private int add(TableSpec spec) {
    hidden.add(spec);
    return visible + hidden.size() - 1;
  }

  private static TableSpec copy(TableSpec table, String suffix) {
    String name = table.name() + "#" + suffix;
    return table.access() == TableAccess.SPARSE
        ? TableSpec.sparse(name, table.rows(), table.columns(), "sgd")
        : TableSpec.dense(name, table.rows(), table.columns(), "sgd");
  }

  /// The hidden tables, with the rows of one worker.
  List<TableSpec> ofOneWorker() {
    return hidden;
  }

  /// Whether anything but the updates themselves is sent of a visible table.
  boolean isFiltered(int table) {
    return isFiltered[table];
  }

  int carried(int table) {
    return carried[table];
  }

  int held(int table) {
    return held[table];
  }

  /// Whether a visible table is read through a copy.
  boolean isFetched(int table) {
    return fetched[table] != NONE;
  }

  int fetched(int table) {
    return fetched[table];
  }

  int counts() {
    return counts;
  }
}
