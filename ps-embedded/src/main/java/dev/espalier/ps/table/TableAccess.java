package dev.espalier.ps.table;

/// How a program touches a table, which decides the page size and how updates are gathered.
public enum TableAccess {
  /// Most clocks touch all rows: large pages, updates gathered in one array.
  DENSE,
  /// A clock touches few of the rows: small pages, updates gathered by row.
  SPARSE
}
