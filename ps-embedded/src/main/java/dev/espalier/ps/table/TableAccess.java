package dev.espalier.ps.table;

/// How a program touches a table, which decides the page size and how updates are gathered.
public enum TableAccess {
  /// Most clocks touch all rows: large pages, updates gathered in one array.
  DENSE,
  /// All rows are read and updated in each clock, as one matrix: a shard's rows lie together in one
  /// page, so that they can be computed on where they are. Updates are gathered in one array.
  MATRIX,
  /// A clock touches few of the rows: small pages, updates gathered by row.
  SPARSE
}
