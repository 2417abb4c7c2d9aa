package dev.espalier.ps;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.OpenPages;
import dev.espalier.ps.shard.PinnedRows;
import dev.espalier.ps.table.TableSpec;
import dev.espalier.ps.transport.Transport;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class OpenPagesTest {
  private static final int ROWS = 3000;
  private static final int COLUMNS = 16;
  private static final int ROWS_PER_PAGE = 1024;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final BranchRef CHILD = new BranchRef(1);
  private static final BranchRef GRANDCHILD = new BranchRef(2);
  private static final StepSize STEP = StepSize.of(0.1);
  private static final List<TableSpec> TABLES =
      List.of(
          TableSpec.sparse("counts", ROWS, COLUMNS, "add"),
          TableSpec.sparse("weights", ROWS, COLUMNS, "sgd"),
          TableSpec.matrix("matrix", ROWS, COLUMNS, "add"));

  private ParameterServer server = open(64L << 20);
  private WorkerSession session = server.session();

  private static ParameterServer open(long budgetBytes) {
    return ParameterServer.open(ParameterServerConfig.of(1, 0, budgetBytes), TABLES);
  }

  @AfterEach
  void close() {
    session.close();
    server.close();
  }

  private void select(BranchRef branch) {
    session.select(branch, Staleness.bulkSynchronous(), STEP);
  }

  private void createRoot() {
    session.create(ROOT);
    select(ROOT);
  }

  @SuppressWarnings("restricted") // one row
  private static MemorySegment row(OpenPages pages, int row) {
    long address = pages.address(row / pages.rowsPerPage());
    return MemorySegment.ofAddress(address + row % pages.rowsPerPage() * 4L * COLUMNS)
        .reinterpret(4L * COLUMNS);
  }

  private void put(int row, float value) {
    try (OpenPages pages = session.open(0).orElseThrow()) {
      row(pages, row).setAtIndex(ValueLayout.JAVA_FLOAT, 3, value);
    }
    session.tick(1);
  }

  private float get(BranchRef branch, int row) {
    select(branch);
    float[] values = new float[COLUMNS];
    session.read(0, row, 1, values, 0);
    return values[3];
  }

  @Test
  void whatIsWrittenIsTheBranchsAlone() {
    createRoot();
    put(0, 1);
    put(2999, 2);
    session.fork(CHILD, ROOT);
    long before = server.stats().pagesInUse();
    select(CHILD);
    put(2999, 3);

    assertThat(get(CHILD, 2999)).isEqualTo(3);
    assertThat(get(CHILD, 0)).isEqualTo(1);
    assertThat(get(ROOT, 2999)).isEqualTo(2);
    assertThat(server.stats().pagesInUse())
        .as("only the touched page is copied")
        .isEqualTo(before + 1);
    session.free(ROOT);
    session.free(CHILD);
    assertThat(server.stats().pagesInUse()).isZero();
  }

  @Test
  void aPageStaysWhereItIsUntilItIsShared() {
    createRoot();
    long address;
    try (OpenPages pages = session.open(0).orElseThrow()) {
      assertThat(pages.rowsPerPage()).isEqualTo(ROWS_PER_PAGE);
      address = pages.address(1);
    }
    try (OpenPages pages = session.open(0).orElseThrow()) {
      assertThat(pages.address(1)).isEqualTo(address);
    }
    session.fork(CHILD, ROOT);
    try (OpenPages pages = session.open(0).orElseThrow()) {
      assertThat(pages.address(1)).isNotEqualTo(address);
    }
  }

  @Test
  void anOpenBranchIsNotForkedSavedPinnedOrFreed() {
    createRoot();
    OpenPages pages = session.open(0).orElseThrow();
    assertThatThrownBy(() -> server.shard().snapshot(ROOT))
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.CLOCK_ORDER));
    session.fork(CHILD, ROOT);
    assertThatThrownBy(session::awaitQuiet)
        .hasMessageContaining("cannot fork branch 0")
        .hasMessageContaining("open");
    session.close();
    session = server.session();
    session.free(ROOT);
    assertThatThrownBy(session::awaitQuiet).hasMessageContaining("cannot free branch 0");
    pages.close();
    pages.close();
    assertThatThrownBy(() -> pages.address(0)).isInstanceOf(IllegalStateException.class);
    session.close();
    session = server.session();
    session.fork(GRANDCHILD, ROOT);
    session.awaitQuiet();
  }

  @Test
  void onlySumsCanBeOpened() {
    createRoot();
    assertThatThrownBy(() -> session.open(1))
        .hasMessageContaining("rule of table 'weights' must be add");
    session.select(ROOT, Staleness.bulkSynchronous(), StepSize.noUpdate());
    assertThat(session.open(0)).as("the clock changes nothing").isEmpty();
  }

  @Test
  void aMatrixIsPinnedOrOpen() {
    createRoot();
    OpenPages pages = session.open(2).orElseThrow();
    long address = pages.address(0);
    assertThat(session.pin(2)).isEmpty();
    pages.close();
    try (PinnedRows pinned = session.pin(2).orElseThrow();
        OpenPages again = session.open(2).orElseThrow()) {
      assertThat(pinned.address()).isEqualTo(address);
      assertThat(again.address(0)).as("what is pinned stays as it is").isNotEqualTo(address);
    }
  }

  @Test
  void rowsOfSeveralWorkersCannotBeOpened() {
    try (var first = ParameterServer.open(ParameterServerConfig.of(2, 0, 1 << 20), TABLES);
        var second = ParameterServer.open(ParameterServerConfig.of(2, 1, 1 << 20), TABLES)) {
      var transport = Transport.inProcess(List.of(first.shard(), second.shard()));
      try (var one = first.session(transport);
          var other = second.session(transport)) {
        one.create(ROOT);
        other.create(ROOT);
        one.select(ROOT, Staleness.bulkSynchronous(), STEP);
        assertThat(one.open(0)).isEmpty();
      }
    }
  }

  @Test
  void aBranchThatFindsNoPageCanOnlyBeFreed() {
    close();
    server = open(512 << 10);
    session = server.session();
    createRoot();
    for (int child = 1; child < 20; child++) {
      session.fork(new BranchRef(child), ROOT);
    }
    assertThatThrownBy(
            () -> {
              for (int child = 1; child < 20; child++) {
                select(new BranchRef(child));
                put(child, 1);
              }
            })
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.OUT_OF_MEMORY_BUDGET));
    BranchRef last = new BranchRef(19);
    session.free(last);
    assertThat(get(CHILD, 1)).as("other branches live on").isEqualTo(1);
  }
}
