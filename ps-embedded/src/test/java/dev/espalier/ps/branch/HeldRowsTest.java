package dev.espalier.ps.branch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.MemoryBudget;
import dev.espalier.ps.memory.PagePools;
import dev.espalier.ps.table.RowRange;
import dev.espalier.ps.table.RowSelection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HeldRowsTest {
  private static final int FIRST = 50;
  private static final int ROWS = 900;
  private static final RowKernels KERNELS = RowKernelsProvider.best();

  private final PagePools pools = new PagePools(new MemoryBudget(16 << 20));
  private final BranchStore store =
      new BranchStore(pools, List.of(PageLayout.of(new RowRange(FIRST, FIRST + ROWS), 5, 1, 4096)));
  private final PageLayout layout = PageLayout.of(new RowRange(FIRST, FIRST + ROWS), 5, 1, 4096);
  private final BranchRef branch = new BranchRef(0);

  @BeforeEach
  void fill() {
    store.create(branch);
    for (int row = FIRST; row < FIRST + ROWS; row++) {
      write(row, row);
    }
  }

  @AfterEach
  void free() {
    store.free(branch);
    assertThat(pools.pagesInUse()).isZero();
    pools.close();
  }

  private PageTable table() {
    return store.pagesOf(branch).table(0);
  }

  private void write(int row, int value) {
    MemorySegment page = table().owned(layout.pageOf(row)).segment();
    for (int column = 0; column < 5; column++) {
      page.set(ValueLayout.JAVA_FLOAT, layout.offsetOf(row) + 4L * column, value + column / 8f);
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void rowsAreCopiedInAnyPiecesAsTheyWereWhenTheyWereHeld(long seed) {
    Random random = new Random(seed);
    RowSelection rows =
        seed % 3 == 0
            ? new RowSelection.Range(FIRST + 7, 800)
            : new RowSelection.Keys(
                (seed % 2 == 0
                        ? random.longs(700, FIRST, FIRST + ROWS).sorted()
                        : random.longs(700, FIRST, FIRST + ROWS))
                    .toArray());
    HeldRows held = HeldRows.of(table(), rows);
    assertThat(held.bytes()).isEqualTo(rows.count() * 20L);
    for (int row = FIRST; row < FIRST + ROWS; row++) {
      write(row, -1);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment copy = arena.allocate(held.bytes() + 3);
      for (long done = 0; done < held.bytes(); ) {
        long step = Math.min(1 + random.nextInt(seed < 4 ? 500 : 20_000), held.bytes() - done);
        held.copy(KERNELS, done, copy, 3 + done, step);
        done += step;
      }
      for (int i = 0; i < rows.count() * 5; i++) {
        assertThat(copy.get(ValueLayout.JAVA_FLOAT_UNALIGNED, 3 + 4L * i))
            .isEqualTo(rows.row(i / 5) + i % 5 / 8f);
      }
    } finally {
      held.release();
      held.release();
    }
  }

  @Test
  void onlyPagesWithSelectedRowsAreHeld() {
    HeldRows held =
        HeldRows.of(table(), new RowSelection.Keys(new long[] {FIRST + ROWS - 1, FIRST}));
    assertThat(held.pageCount()).isEqualTo(2);
    assertThat(table().isShared(0)).isTrue();
    assertThat(table().isShared(1)).isFalse();
    held.release();
    assertThat(table().isShared(0)).isFalse();
    HeldRows none = HeldRows.of(table(), new RowSelection.Range(0, 0));
    assertThat(none.pageCount()).isZero();
    none.release();
  }
}
