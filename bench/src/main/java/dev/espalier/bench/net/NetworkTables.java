package dev.espalier.bench.net;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.util.Arrays;
import java.util.List;

/// The tables over which messages are measured.
final class NetworkTables {
  static final int DENSE = 0;
  static final int SPARSE = 1;
  static final int NARROW = 2;
  static final int DENSE_ROWS = 4096;
  static final int DENSE_COLUMNS = 256;
  static final int SPARSE_ROWS = 200_000;
  static final int SPARSE_COLUMNS = 32;
  static final String TOKEN = "bench";
  private static final long BUDGET_BYTES = 512L << 20;
  private static final int VALUES_AT_A_TIME = 1 << 20;

  private static final List<TableSpec> ALL =
      List.of(
          TableSpec.dense("dense", DENSE_ROWS, DENSE_COLUMNS, "sgd"),
          TableSpec.sparse("sparse", SPARSE_ROWS, SPARSE_COLUMNS, "sgd"),
          TableSpec.sparse("narrow", SPARSE_ROWS, 1, "sgd"));

  private NetworkTables() {}

  static ParameterServer open() {
    return ParameterServer.open(
        // As a job of several workers has them.
        ParameterServerConfig.of(1, 0, BUDGET_BYTES).withSharedPages(true), ALL);
  }

  /// Creates a branch and writes all its rows, so that each page is a page of its own.
  static void write(Transport transport, BranchRef branch) {
    settle(transport, new ShardCommand.Create(branch, 0));
    for (int table = 0; table < ALL.size(); table++) {
      int rows = Math.toIntExact(ALL.get(table).rows());
      int columns = ALL.get(table).columns();
      int step = VALUES_AT_A_TIME / columns;
      for (int first = 0; first < rows; first += step) {
        int count = Math.min(step, rows - first);
        float[] values = new float[count * columns];
        Arrays.fill(values, 1);
        settle(
            transport,
            new ShardCommand.Assign(
                branch,
                0,
                List.of(new RowBatch(table, new RowSelection.Range(first, count), values))));
      }
    }
  }

  /// Sends a command and waits until it is done.
  static void settle(Transport transport, ShardCommand command) {
    if (transport.send(0, command).join() instanceof ShardReply.Failed failed) {
      throw failed.toException();
    }
  }
}
