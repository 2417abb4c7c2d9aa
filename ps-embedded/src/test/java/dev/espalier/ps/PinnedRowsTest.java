package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.PinnedRows;
import dev.espalier.ps.table.TableSpec;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

final class PinnedRowsTest {
  private static final int ROWS = 700;
  private static final int COLUMNS = 300;
  private static final BranchRef BRANCH = new BranchRef(1);
  private static final List<TableSpec> TABLES =
      List.of(
          TableSpec.matrix("matrix", ROWS, COLUMNS, "momentum"),
          TableSpec.dense("dense", ROWS, COLUMNS, "sgd"));

  @SuppressWarnings("restricted") // as large as the table
  private static float[] values(PinnedRows rows) {
    return MemorySegment.ofAddress(rows.address())
        .reinterpret(4L * ROWS * COLUMNS)
        .toArray(ValueLayout.JAVA_FLOAT);
  }

  @Test
  void aMatrixLiesInOnePieceAndStaysAsItWasPinned() {
    float[] ones = new float[ROWS * COLUMNS];
    java.util.Arrays.fill(ones, 1);
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      session.assign(0, 0, ROWS, ones, 0);
      float[] read = new float[ROWS * COLUMNS];
      try (PinnedRows pinned = session.pin(0).orElseThrow()) {
        assertThat(values(pinned)).isEqualTo(ones);
        session.add(0, 0, ROWS, ones, 0);
        session.tick(1);
        session.read(0, 0, ROWS, read, 0);
        assertThat(read[0]).isEqualTo(0.5f);
        assertThat(values(pinned)).isEqualTo(ones);
      }
      PinnedRows again = session.pin(0).orElseThrow();
      long address = again.address();
      assertThat(values(again)).isEqualTo(read);
      again.close();
      assertThatThrownBy(again::address).hasMessageContaining("must be pinned");
      session.add(0, 0, ROWS, ones, 0);
      session.tick(1);
      assertThat(session.pin(0).orElseThrow().address())
          .as("an update without a view is made in place")
          .isEqualTo(address);
    }
  }

  @Test
  void whatLiesInSeveralPagesIsNotPinned() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      assertThat(session.pin(1)).isEmpty();
    }
  }

  @Test
  void pinnedPagesComeBack() {
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 64L << 20), TABLES);
        WorkerSession session = server.session()) {
      session.create(BRANCH);
      session.select(BRANCH, Staleness.bulkSynchronous(), new StepSize(0.5, 0.9));
      PinnedRows pinned = session.pin(0).orElseThrow();
      session.free(BRANCH);
      session.awaitQuiet();
      assertThat(server.stats().pagesInUse()).isEqualTo(1);
      pinned.close();
      assertThat(server.stats().pagesInUse()).isZero();
    }
  }
}
