package dev.espalier.ps.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

  /// A checkpoint holds its layout, and is exported on hosts.
  @ParameterizedTest
  @ValueSource(ints = {1, 3, 1001, 1022, 1024})
  void denseTablesHaveTheRowsPerPageThatTheyHaveOnAHost(int columns) {
    TableSpec table = TableSpec.dense("w", 4_000_000 / columns, columns, "momentum");

    assertThat(onDevice(16 * MIB, table).getFirst().layout().rowsPerPage())
        .isEqualTo(onDevice(0, table).getFirst().layout().rowsPerPage());
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

  @Test
  void moreRowsThanHaveNumbersAreToldWithTheirTable() {
    assertThatThrownBy(() -> onDevice(0, TableSpec.matrix("w", 1L << 33, 1, "sgd")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("rows of table 'w' must be <= 2147483647 on each worker but are 8589934592");
    assertThatThrownBy(() -> onDevice(0, TableSpec.sparse("w", 1L << 62, 1, "sgd")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "rows of table 'w' must be <= 562949953159168 on each worker but are"
                + " 4611686018427387904");
  }
}
