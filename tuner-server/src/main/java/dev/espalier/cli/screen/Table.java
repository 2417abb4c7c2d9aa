package dev.espalier.cli.screen;

import java.util.ArrayList;
import java.util.List;

/// Rows in columns; numbers stand to the right.
public final class Table {
  private final List<String> headers;
  private final List<List<String>> rows = new ArrayList<>();

  public Table(String... headers) {
    this(List.of(headers));
  }

  public Table(List<String> headers) {
    this.headers = List.copyOf(headers);
  }

  /// Adds a row; cells that are missing are empty.
  public Table row(String... cells) {
    return row(List.of(cells));
  }

  /// Adds a row; cells that are missing are empty.
  public Table row(List<String> cells) {
    var row = new ArrayList<>(cells);
    while (row.size() < headers.size()) {
      row.add("");
    }
    rows.add(row);
    return this;
  }

  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /// {@return the header and the rows, without trailing blanks}
  public List<String> lines() {
    var lines = new ArrayList<String>();
    lines.add(line(headers));
    rows.forEach(row -> lines.add(line(row)));
    return lines;
  }

  private String line(List<String> cells) {
    var line = new StringBuilder();
    for (int i = 0; i < headers.size(); i++) {
      String cell = cells.get(i);
      String pad = " ".repeat(width(i) - Width.of(cell));
      line.append(i == 0 ? "" : "  ");
      line.append(isNumeric(i) ? pad + cell : cell + pad);
    }
    return line.toString().stripTrailing();
  }

  private int width(int column) {
    int width = Width.of(headers.get(column));
    for (List<String> row : rows) {
      width = Math.max(width, Width.of(row.get(column)));
    }
    return width;
  }

  private boolean isNumeric(int column) {
    return !rows.isEmpty()
        && rows.stream()
            .map(row -> row.get(column))
            .allMatch(
                cell -> cell.isEmpty() || cell.matches("-|-?#?[0-9][0-9.,e%+-]*( m?s)?(/s)?"));
  }
}
