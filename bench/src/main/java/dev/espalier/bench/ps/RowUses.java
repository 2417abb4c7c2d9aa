package dev.espalier.bench.ps;

import dev.espalier.ps.table.Partitioner;
import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// How often each worker uses each row of a clock, and what follows for where rows should lie.
///
/// A plan asks for each row once a clock, however often the program uses it; so what travels is the
/// number of distinct rows that a worker uses and another one holds.
///
/// Source: Cui et al., SoCC 2014, section 4.2 (parameter placement): a row is best placed with the
/// worker that uses it most.
final class RowUses {
  private final List<TableSpec> tables;
  private final int workers;
  private final int[][][] uses;

  private RowUses(List<TableSpec> tables, int workers) {
    this.tables = tables;
    this.workers = workers;
    uses = new int[workers][tables.size()][];
    for (int[][] ofWorker : uses) {
      for (int table = 0; table < tables.size(); table++) {
        ofWorker[table] = new int[Math.toIntExact(tables.get(table).rows())];
      }
    }
  }

  static RowUses of(RowSweep sweep, int workers) {
    var counted = new RowUses(sweep.tables(), workers);
    for (int worker = 0; worker < workers; worker++) {
      int[][] ofWorker = counted.uses[worker];
      sweep.run(
          new RowSweep.Rows() {
            @Override
            public void read(int table, long row, float[] values) {
              ofWorker[table][(int) row]++;
            }

            @Override
            public void add(int table, long row, float[] values) {
              ofWorker[table][(int) row]++;
            }
          },
          worker,
          workers);
    }
    return counted;
  }

  private interface Holder {
    int of(int table, int row);
  }

  /// Rows that travel a clock when shards hold ranges of rows, as they do.
  long travellingByRange() {
    List<Partitioner> partitioners =
        tables.stream().map(table -> new Partitioner(table.rows(), workers)).toList();
    return travelling((table, row) -> partitioners.get(table).shardOf(row));
  }

  /// Rows that would travel if each lay with the worker that uses it most.
  long travellingByUse() {
    return travelling(this::mostFrequentUser);
  }

  private int mostFrequentUser(int table, int row) {
    int most = 0;
    for (int worker = 1; worker < workers; worker++) {
      if (uses[worker][table][row] > uses[most][table][row]) {
        most = worker;
      }
    }
    return most;
  }

  private long travelling(Holder holder) {
    long count = 0;
    for (int table = 0; table < tables.size(); table++) {
      for (int row = 0; row < tables.get(table).rows(); row++) {
        for (int worker = 0; worker < workers; worker++) {
          if (uses[worker][table][row] > 0 && holder.of(table, row) != worker) {
            count++;
          }
        }
      }
    }
    return count;
  }
}
