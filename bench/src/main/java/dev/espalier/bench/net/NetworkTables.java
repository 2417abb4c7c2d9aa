package dev.espalier.bench.net;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.table.TableSpec;
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

  private NetworkTables() {}

  static ParameterServer open() {
    return ParameterServer.open(
        // As a job of several workers has them.
        ParameterServerConfig.of(1, 0, BUDGET_BYTES).withSharedPages(true),
        List.of(
            TableSpec.dense("dense", DENSE_ROWS, DENSE_COLUMNS, "sgd"),
            TableSpec.sparse("sparse", SPARSE_ROWS, SPARSE_COLUMNS, "sgd"),
            TableSpec.sparse("narrow", SPARSE_ROWS, 1, "sgd")));
  }
}
