package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.ps.branch.PageLayout;
import dev.espalier.ps.table.TableSpec;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class TablePartsTest {
  private static final long MIB = 1 << 20;

  private static List<TablePart> onDevice(long deviceBytes, TableSpec... tables) {
    return TableParts.of(
        new ShardConfig(0, 1, MIB, MIB, 64 * MIB, deviceBytes, false),
        List.of(tables),
        deviceBytes);
  }

  private static TableSpec matrix(String name, int mebibytes) {
    return TableSpec.matrix(name, mebibytes * 256L, 1024, "sgd");
  }

  @Test
  void matricesOfOneSizeLieInOnePiece() {
    assertThat(onDevice(128 * MIB, matrix("a", 10), matrix("b", 9)))
        .allMatch(part -> part.layout().pageBytes() == 10 * MIB)
        .allMatch(part -> part.layout().pageCount() == 1);
  }

  /// So that steps go four by four in pages and in gradients.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1001, 1022, 1024, 70_001})
  void pagesBeginAtAMultipleOfFourValues(int columns) {
    PageLayout layout =
        onDevice(16 * MIB, TableSpec.dense("w", 4_000_000 / columns, columns, "momentum"))
            .getFirst()
            .layout();
    assertThat(layout.pageCount()).isGreaterThan(20);
    for (int page = 0; page < layout.pageCount(); page++) {
      assertThat(layout.firstRowOf(page) * columns % 4)
          .as("page %d of rows of %d", page, columns)
          .isEqualTo(layout.rowsPerPage() == 1 ? page * columns % 4 : 0);
    }
    assertThat(layout.planes() * layout.planeBytes()).isBetween(MIB / 2, layout.pageBytes());
  }

  /// One matrix of 10 MiB and ten small ones take 110 MiB in pages of one size.
  @Test
  void smallMatricesAreNotPaddedToTheLargestWhereThatTakesTheDevice() {
    TableSpec[] tables =
        Stream.concat(
                Stream.of(matrix("large", 10)),
                IntStream.range(0, 10).mapToObj(i -> matrix("small" + i, 1)))
            .toArray(TableSpec[]::new);
    assertThat(onDevice(128 * MIB, tables)).allMatch(part -> part.layout().pageBytes() == MIB);
    assertThat(onDevice(880 * MIB, tables))
        .as("eight branches that share nothing fit")
        .allMatch(part -> part.layout().pageBytes() == 10 * MIB);
  }
}
