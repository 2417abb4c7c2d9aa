package dev.espalier.ps.table;

import java.util.Optional;

/// Where pages for the sums of all rows of a table come from.
@FunctionalInterface
public interface PageSource {
  /// Gives none.
  PageSource NONE = (_, _) -> Optional.empty();

  /// Fresh pages for the sums of a clock, with whatever content.
  ///
  /// @param table index of the table
  /// @param rows how many of its rows the clock adds to
  /// @return empty where the sums had better lie in an array
  Optional<RowValues.InPages> take(int table, int rows);
}
