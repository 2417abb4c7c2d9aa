package dev.espalier.ps.filter;

/// Where the hidden tables of a worker are: behind the visible ones, in the order of
/// [FilterOptions#hiddenTables], with the rows of one worker together.
///
/// @param options which there are
/// @param tables number of visible tables
record HiddenTables(FilterOptions options, int tables) {
  static final int CLOCK = 0;
  static final int SAMPLES = 1;

  /// Columns of the counts table before one for each visible table, which says whether it was
  /// fetched.
  static final int COUNTS = 2;

  int carried(int table) {
    return tables + table;
  }

  int fetched(int table) {
    return tables + (options.carries() ? tables : 0) + table;
  }

  int counts() {
    return tables + (options.carries() ? tables : 0) + (options.fetchEvery() > 1 ? tables : 0);
  }
}
