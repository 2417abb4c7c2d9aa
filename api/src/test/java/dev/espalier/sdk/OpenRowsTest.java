package dev.espalier.sdk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OpenRowsTest {
  /// Page p lies at a million times p + 1.
  private static final class FarPages implements OpenRows.Pages {
    private final List<Integer> asked = new ArrayList<>();
    private boolean isClosed;

    @Override
    public long address(int page) {
      asked.add(page);
      return (page + 1) * 1_000_000_000L;
    }

    @Override
    public void close() {
      isClosed = true;
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 64, 100, 341, 1023, 1024, 65_537, 1 << 30, Integer.MAX_VALUE})
  void rowsLieInTheirPages(int rowsPerPage) {
    int rows = (int) Math.min(Integer.MAX_VALUE, (long) rowsPerPage << 16);
    int columns = 5;
    var random = new SplittableRandom(rowsPerPage);
    try (var open = new OpenRows(rows, columns, rowsPerPage, new FarPages())) {
      for (int i = 0; i < 10_000; i++) {
        int page = random.nextInt(Math.ceilDiv(rows, rowsPerPage));
        long first = (long) page * rowsPerPage;
        long last = Math.min(rows, first + rowsPerPage) - 1;
        long within = random.nextLong(last - first + 1);
        int[] found = {(int) first, (int) last, (int) (first + within), 0};
        long[] positions = new long[3];
        open.find(found, 0, 3, positions);
        for (int j = 0; j < 3; j++) {
          long expected = (page + 1) * 1_000_000_000L + (found[j] - first) * columns * 4;
          assertThat(positions[j]).isEqualTo(expected);
          assertThat(open.at(found[j])).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void asksForAPageOnceAndChecksRows() {
    var pages = new FarPages();
    var open = new OpenRows(10, 1, 4, pages);
    open.at(0);
    open.at(3);
    open.at(9);
    assertThat(pages.asked).containsExactly(0, 2);
    assertThatThrownBy(() -> open.at(10)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> open.at(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> open.find(new int[] {1, 10}, 0, 2, new long[2]))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> open.find(new int[] {1, 2}, 0, 2, new long[1]))
        .isInstanceOf(IndexOutOfBoundsException.class);
    open.close();
    assertThat(pages.isClosed).isTrue();
  }

  /// Few and many of the table's rows, so that both ways of finding them are used.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 1000, 9_999, 100_000})
  void rowsThatAreThereAreFoundAndOthersAskedFor(int count) {
    int rows = 100_000;
    int columns = 3;
    var random = new SplittableRandom(count);
    long[] present = random.longs(0, rows).distinct().limit(count).toArray();
    var pages = new FarPages();
    try (var open = OpenRows.of(rows, columns, present, 4096, pages)) {
      int[] numbers = Arrays.stream(present).mapToInt(row -> (int) row).toArray();
      long[] positions = new long[count];
      open.find(numbers, 0, count, positions);
      for (int i = 0; i < count; i++) {
        assertThat(positions[i]).isEqualTo(4096 + 12L * i);
        assertThat(open.at(numbers[i])).isEqualTo(positions[i]);
      }
      assertThat(pages.asked).isEmpty();
      Arrays.sort(present);
      int absent = random.nextInt(rows);
      if (Arrays.binarySearch(present, absent) < 0) {
        open.at(absent);
        assertThat(pages.asked).containsExactly(absent);
      }
      assertThatThrownBy(() -> open.at(rows)).isInstanceOf(IndexOutOfBoundsException.class);
      assertThatThrownBy(() -> open.at(-1)).isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  /// Two columns; sums what is added.
  private static final class SumTable implements ParameterTable {
    private final float[] values = new float[20];

    @Override
    public long rows() {
      return 10;
    }

    @Override
    public int columns() {
      return 2;
    }

    @Override
    public void read(long firstRow, int count, float[] target, int offset) {
      System.arraycopy(values, (int) firstRow * 2, target, offset, count * 2);
    }

    @Override
    public void read(long[] rows, int count, float[] target) {
      for (int i = 0; i < count; i++) {
        read(rows[i], 1, target, 2 * i);
      }
    }

    @Override
    public void add(long firstRow, int count, float[] changes, int offset) {
      for (int i = 0; i < 2 * count; i++) {
        values[(int) firstRow * 2 + i] += changes[offset + i];
      }
    }

    @Override
    public void add(long[] rows, int count, float[] changes) {
      for (int i = 0; i < count; i++) {
        add(rows[i], 1, changes, 2 * i);
      }
    }

    @Override
    public void assign(long firstRow, int count, float[] source, int offset) {
      throw new IllegalStateException("no");
    }
  }

  @Test
  void copiesAddWhatHasChanged() {
    var table = new SumTable();
    Arrays.fill(table.values, 1);
    OpenRows open = table.open(() -> new long[] {7, 2});
    long seven = open.at(7);
    OpenRows.MEMORY.set(ValueLayout.JAVA_FLOAT, seven + 4, 5f);
    table.add(7, 1, new float[] {0, 10}, 0);
    assertThat(OpenRows.MEMORY.get(ValueLayout.JAVA_FLOAT, open.at(2))).isEqualTo(1f);
    assertThatThrownBy(() -> open.at(3)).hasMessageContaining("row must be one of the 2");
    open.close();
    open.close();

    float[] expected = new float[20];
    Arrays.fill(expected, 1);
    expected[15] = 15;
    assertThat(table.values).isEqualTo(expected);
    assertThatThrownBy(() -> open.at(2)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void noRowsAreNoChange() {
    var table = new SumTable();
    table.open(() -> new long[0]).close();
    assertThat(table.values).containsOnly(0f);
  }
}
