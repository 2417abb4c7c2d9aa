package dev.espalier.ps.filter;

import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.ValueCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Makes a clock's updates smaller, and carries what it takes away to a later clock.
///
/// Nothing is lost: at every clock, what was sent so far plus what is carried equals the sum of the
/// updates so far, up to rounding. Sources: error feedback as in Seide et al. 2014 (section 3.2);
/// updates held back as in Li, Andersen, Smola, Yu, "Communication Efficient Distributed Machine
/// Learning with the Parameter Server" (NIPS 2014), section 3.3, the significantly modified filter;
/// pushes every so many clocks as in Dean et al., "Large Scale Distributed Deep Networks" (NIPS
/// 2012), section 4.1 and algorithm 7.1: a push is the sum of the clocks' gradients, each a mean
/// over its samples, so it steps as far as they would have one by one.
///
/// Belongs to the session's thread.
public final class UpdateFilter {

  /// The updates of a clock as they leave.
  ///
  /// @param byShard batches for each shard
  /// @param samples to divide the sums by: those of one clock, also when several leave together
  public record Filtered(List<List<RowBatch>> byShard, long samples) {}

  private final FilterOptions options;
  private final HiddenTables hidden;
  private final OwnRows own;

  /// @param options what to do
  /// @param tables number of visible tables
  /// @param own this worker's rows of the hidden tables
  public UpdateFilter(FilterOptions options, int tables, OwnRows own) {
    this.options = options;
    this.hidden = new HiddenTables(options, tables);
    this.own = own;
  }

  /// Filters a clock's updates.
  ///
  /// @param byShard from the update buffer
  /// @param samples in them
  public Filtered apply(List<List<RowBatch>> byShard, long samples) {
    if (options.pushEvery() == 1) {
      return new Filtered(options.carries() ? send(byShard) : byShard, samples);
    }
    float[] counts = counts();
    long total = (long) counts[HiddenTables.SAMPLES] + samples;
    boolean sends = ((long) counts[HiddenTables.CLOCK] + 1) % options.pushEvery() == 0;
    counts[HiddenTables.SAMPLES] = sends ? 0 : total;
    setCounts(counts);
    // A sum of gradients leaves, of which each is a mean over its own clock's samples.
    return sends
        ? new Filtered(send(byShard), Math.ceilDiv(total, options.pushEvery()))
        : new Filtered(hold(byShard), 0);
  }

  private float[] counts() {
    float[] counts = new float[HiddenTables.COUNTS + hidden.tables()];
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
      counts[HiddenTables.CLOCK] =
          (counts[HiddenTables.CLOCK] + 1) % (2 * options.pushEvery() * options.fetchEvery());
      setCounts(counts);
    }
  }

  // ---- holding back

  private List<List<RowBatch>> hold(List<List<RowBatch>> byShard) {
    return byShard.stream().map(batches -> batches.stream().map(this::hold).toList()).toList();
  }

  /// Carries a whole batch on; an empty one goes, so that the table still counts as touched.
  private RowBatch hold(RowBatch batch) {
    RowBatch plain = batch.multipliedOut();
    if (plain.rows().count() > 0) {
      own.assign(hidden.carried(plain.table()), plain.rows(), withCarried(plain));
    }
    return new RowBatch(plain.table(), new RowSelection.Range(0, 0), new float[0]);
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

  private List<List<RowBatch>> send(List<List<RowBatch>> byShard) {
    Map<Integer, Double> bars = new HashMap<>();
    List<List<RowBatch>> sent = new ArrayList<>();
    if (options.significance() == 0) {
      for (List<RowBatch> batches : byShard) {
        sent.add(batches.stream().map(batch -> send(batch, 0)).toList());
      }
      return sent;
    }
    byShard.stream()
        .flatMap(List::stream)
        .mapToInt(RowBatch::table)
        .distinct()
        .forEach(table -> bars.put(table, options.significance() * meanSize(table, byShard)));
    for (List<RowBatch> batches : byShard) {
      sent.add(
          batches.stream()
              .map(batch -> send(batch, bars.getOrDefault(batch.table(), 0.0)))
              .toList());
    }
    return sent;
  }

  private static double meanSize(int table, List<List<RowBatch>> byShard) {
    double sum = 0;
    long count = 0;
    for (List<RowBatch> batches : byShard) {
      for (RowBatch batch : batches) {
        if (batch.table() == table) {
          for (float value : batch.values()) {
            sum += Math.abs(value);
          }
          count += batch.values().length;
        }
      }
    }
    return count == 0 ? 0 : sum / count;
  }

  private RowBatch send(RowBatch batch, double bar) {
    if (batch.rows().count() == 0 || batch.factors() != null) {
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
