package dev.espalier.ps.checkpoint;

import dev.espalier.ps.branch.PageLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/// What a shard must be to read a checkpoint: its place among the shards, and its tables.
///
/// @param place the shard among how many
/// @param tables by index
public record CheckpointShape(String place, List<Table> tables) {

  /// One table.
  ///
  /// @param name for messages
  /// @param specification everything that must agree, in words
  /// @param layout where the shard's rows lie
  public record Table(String name, String specification, PageLayout layout) {

    /// Bytes of a page that mean something.
    long pageBytes() {
      return layout.planes() * layout.planeBytes();
    }
  }

  /// Copies the list.
  public CheckpointShape {
    tables = List.copyOf(tables);
  }

  /// {@return the text that a checkpoint must hold to be read}
  byte[] description() {
    var text = new StringBuilder(place);
    for (Table table : tables) {
      PageLayout layout = table.layout();
      text.append(
          String.format(
              Locale.ROOT,
              "%n%s; planes %d, rows per page %d, plane bytes %d",
              table.specification(),
              layout.planes(),
              layout.rowsPerPage(),
              layout.planeBytes()));
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /// Number of pages of all tables.
  int pageCount() {
    return tables.stream().mapToInt(table -> table.layout().pageCount()).sum();
  }
}
