package dev.espalier.bench.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.transport.Transport;
import java.util.List;
import org.junit.jupiter.api.Test;

final class NetworkTablesTest {
  /// A table that was never written lies in one page, and in the cache.
  @Test
  void everyRowOfAWrittenBranchHasMemoryOfItsOwn() {
    try (ParameterServer server = NetworkTables.open()) {
      NetworkTables.write(Transport.inProcess(List.of(server.shard())), new BranchRef(0));

      assertThat(server.stats().bytesInUse())
          .isGreaterThanOrEqualTo(
              4L
                  * (NetworkTables.DENSE_ROWS * NetworkTables.DENSE_COLUMNS
                      + NetworkTables.SPARSE_ROWS * (NetworkTables.SPARSE_COLUMNS + 1)));
    }
  }
}
