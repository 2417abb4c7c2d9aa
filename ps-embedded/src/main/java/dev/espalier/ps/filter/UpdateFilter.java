package dev.espalier.ps.filter;

import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.table.ValueCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Makes a clock's updates smaller, and carries what it takes away to a later clock.
///
/// Tables with rule `add` pass as they are. Of the others nothing is lost: at every clock, what was
/// sent so far plus what is carried equals the sum of the updates so far, up to rounding. Sources:
/// error feedback as in Seide et al. 2014 (section 3.2); updates held back as in Li, Andersen,
/// Smola, Yu, "Communication Efficient Distributed Machine Learning with the Parameter Server"
/// (NIPS 2014), section 3.3, the significantly modified filter; pushes every so many clocks as in
/// Dean et al., "Large Scale Distributed Deep Networks" (NIPS 2012), section 4.1 and algorithm 7.1:
/// a push is the sum of the clocks' gradients, each a mean over its samples, so it steps as far as
/// they would have one by one.
///
/// Belongs to the session's thread.
public final class UpdateFilter {

  /// The updates of a clock as they leave.
  ///
  /// @param byShard batches for each shard
  /// @param samples to divide the sums by: those of one clock, also when several leave together
  public record Filtered(List<List<RowBatch>> byShard, long samples) {}

  private final FilterOptions options;
  private final List<TableSpec> tables;
  private final HiddenTables hidden;
  private final OwnRows own;

  /// @param options what to do
  /// @param tables the visible ones
  /// @param own this worker's rows of the hidden tables
  public UpdateFilter(FilterOptions options, List<TableSpec> tables, OwnRows own) {
    this.options = options;
    this.tables = List.copyOf(tables);
    this.hidden = new HiddenTables(options, tables);
    this.own = own;
  }

  /// Filters a clock's updates.
  ///
  /// @param byShard from the update buffer
  /// @param samples in them
  public Filtered apply(List<List<RowBatch>> byShard, long samples) {
    if (options.pushEvery() == 1) {
      return new Filtered(options.carries() ? send(byShard, bars(byShard)) : byShard, samples);
    }
    float[] counts = counts();
    long total = (long) counts[HiddenTables.SAMPLES] + samples;
    boolean sends = ((long) counts[HiddenTables.CLOCK] + 1) % options.pushEvery() == 0;
    counts[HiddenTables.SAMPLES] = sends ? 0 : total;
    setCounts(counts);
    // A sum of gradients leaves, of which each is a mean over its own clock's samples.
    return sends
        ? new Filtered(
            send(withHeld(byShard), bars(byShard)), Math.ceilDiv(total, options.pushEvery()))
        : hold(byShard, samples);
  }

  private float[] counts() {
    float[] counts = new float[HiddenTables.COUNTS + tables.size()];
    own.read(hidden.counts(), new RowSelection.Range(0, 1), counts);
    return counts;
  }

  private void setCounts(float[] counts) {
    own.assign(hidden.counts(), new RowSelection.Range(0, 1), counts);
  }

  /// Counts the clock; to be called once at its end.
  public void endClock() {
    if (options.counts()) {
      float[] counts = counts();
      // Wraps at a number that both intervals divide, twice, and that a float can say.
      float clock =
          (counts[HiddenTables.CLOCK] + 1) % (2 * options.pushEvery() * options.fetchEvery());
      counts[HiddenTables.CLOCK] = clock;
      if (clock % options.fetchEvery() == 0) {
        // Whenever a table is read next, it is fetched.
        Arrays.fill(counts, HiddenTables.COUNTS, counts.length, 0);
      }
      setCounts(counts);
    }
  }

  // ---- holding back

  /// Carries all on but what may not be filtered.
  private Filtered hold(List<List<RowBatch>> byShard, long samples) {
    List<List<RowBatch>> passing = new ArrayList<>();
    for (List<RowBatch> batches : byShard) {
      batches.stream().filter(batch -> hidden.isFiltered(batch.table())).forEach(this::hold);
      passing.add(batches.stream().filter(batch -> !hidden.isFiltered(batch.table())).toList());
    }
    // Without samples nothing is a step, which other tables must not count.
    return new Filtered(passing, passing.stream().allMatch(List::isEmpty) ? 0 : samples);
  }

  private void hold(RowBatch batch) {
    RowBatch plain = batch.inArray();
    if (plain.rows().count() > 0) {
      own.assign(hidden.carried(plain.table()), plain.rows(), withCarried(plain));
      marks(plain.table()).add(plain.rows());
    }
  }

  private HeldMarks marks(int table) {
    return new HeldMarks(own, hidden.held(table), tables.get(table).rows());
  }

  /// Adds what was held back of rows that the last of the clocks does not touch.
  private List<List<RowBatch>> withHeld(List<List<RowBatch>> byShard) {
    List<List<RowBatch>> all = new ArrayList<>();
    byShard.forEach(batches -> all.add(new ArrayList<>(batches)));
    for (int table = 0; table < tables.size(); table++) {
      if (hidden.isFiltered(table)) {
        addHeld(table, all);
      }
    }
    return all;
  }

  private void addHeld(int table, List<List<RowBatch>> byShard) {
    long[] rows = marks(table).takeAll();
    if (rows.length == 0) {
      return;
    }
    int columns = tables.get(table).columns();
    var partitioner = new Partitioner(tables.get(table).rows(), byShard.size());
    for (int shard = 0; shard < byShard.size(); shard++) {
      List<RowBatch> batches = byShard.get(shard);
      long[] touched = touched(table, batches);
      RowRange range = partitioner.rangeOf(shard);
      long[] missing =
          Arrays.stream(rows)
              .filter(row -> row >= range.first() && row < range.end())
              .filter(row -> Arrays.binarySearch(touched, row) < 0)
              .toArray();
      if (missing.length > 0) {
        batches.add(
            new RowBatch(
                table, new RowSelection.Keys(missing), new float[missing.length * columns]));
      } else if (batches.stream().noneMatch(batch -> batch.table() == table)) {
        // The table counts as touched in all shards.
        batches.add(RowBatch.empty(table));
      }
    }
  }

  /// The rows of a table that carried values are added to in any case, ascending.
  private static long[] touched(int table, List<RowBatch> batches) {
    return batches.stream()
        .filter(batch -> batch.table() == table && !isFactors(batch))
        .flatMapToLong(
            batch -> IntStream.range(0, batch.rows().count()).mapToLong(batch.rows()::row))
        .sorted()
        .toArray();
  }

  private float[] withCarried(RowBatch batch) {
    float[] sums = new float[batch.values().length];
    own.read(hidden.carried(batch.table()), batch.rows(), sums);
    for (int i = 0; i < sums.length; i++) {
      sums[i] += batch.values()[i];
    }
    return sums;
  }

  // ---- sending

  /// Below which size each table's rows are held back.
  private Map<Integer, Double> bars(List<List<RowBatch>> byShard) {
    Map<Integer, Double> bars = new HashMap<>();
    if (options.significance() > 0) {
      byShard.stream()
          .flatMap(List::stream)
          .mapToInt(RowBatch::table)
          .distinct()
          .filter(hidden::isFiltered)
          .forEach(table -> bars.put(table, options.significance() * meanSize(table, byShard)));
    }
    return bars;
  }

  private List<List<RowBatch>> send(List<List<RowBatch>> byShard, Map<Integer, Double> bars) {
    return byShard.stream()
        .map(batches ->
            batches.stream()
                .map(batch -> send(batch, bars.getOrDefault(batch.table(), 0.0)))
                .toList())
        .toList();
  }

  private static double meanSize(int table, List<List<RowBatch>> byShard) {
    double sum = 0;
    long count = 0;
    for (List<RowBatch> batches : byShard) {
      for (RowBatch batch : batches) {
        if (batch.table() == table && !isFactors(batch)) {
          for (float value : batch.values()) {
            sum += Math.abs(value);
          }
          count += batch.values().length;
        }
      }
    }
    return count == 0 ? 0 : sum / count;
  }

  private static boolean isFactors(RowBatch batch) {
    return batch.content() instanceof RowValues.Products;
  }

  private RowBatch send(RowBatch batch, double bar) {
    if (batch.rows().count() == 0 || isFactors(batch) || !hidden.isFiltered(batch.table())) {
      return batch;
    }
    float[] sums = withCarried(batch);
    RowBatch chosen =
        bar > 0
            ? significant(batch, sums, bar)
            : new RowBatch(batch.table(), batch.rows(), sums.clone(), options.code());
    float[] sent = chosen.values();
    options.code().project(sent, batch.columns());
    carry(batch, sums, chosen);
    return chosen;
  }

  /// The rows of which a value reaches the bar; a NaN does.
  private RowBatch significant(RowBatch batch, float[] sums, double bar) {
    int columns = batch.columns();
    int count = batch.rows().count();
    long[] keys = new long[count];
    float[] values = new float[sums.length];
    int chosen = 0;
    for (int row = 0; row < count; row++) {
      if (reaches(bar, sums, row * columns, columns)) {
        keys[chosen] = batch.rows().row(row);
        System.arraycopy(sums, row * columns, values, chosen * columns, columns);
        chosen++;
      }
    }
    return chosen == count
        ? new RowBatch(batch.table(), batch.rows(), values, options.code())
        : new RowBatch(
            batch.table(),
            new RowSelection.Keys(Arrays.copyOf(keys, chosen)),
            Arrays.copyOf(values, chosen * columns),
            chosen == 0 ? ValueCode.FLOAT32 : options.code());
  }

  private static boolean reaches(double bar, float[] values, int from, int count) {
    for (int i = from; i < from + count; i++) {
      if (!(Math.abs(values[i]) < bar)) {
        return true;
      }
    }
    return false;
  }

  /// Keeps what was not sent of the sums.
  private void carry(RowBatch batch, float[] sums, RowBatch sent) {
    int columns = batch.columns();
    int next = 0;
    for (int row = 0; row < batch.rows().count() && next < sent.rows().count(); row++) {
      if (sent.rows().row(next) == batch.rows().row(row)) {
        for (int j = 0; j < columns; j++) {
          sums[row * columns + j] -= sent.values()[next * columns + j];
        }
        next++;
      }
    }
    own.assign(hidden.carried(batch.table()), batch.rows(), sums);
  }
}
