package dev.espalier.cli.screen;

import java.util.ArrayList;
import java.util.List;

/// Rows in columns; numbers stand to the right.
public final class Table {
  private static final String GAP = "  ";

  /// A narrower column would break every other word.
  private static final int LEAST_TEXT = 20;

  private static final int GOOD_TEXT = 40;

  private final List<String> headers;
  private final List<String> spare = new ArrayList<>();
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

  /// Names columns that are left out where there is no room for all, the first of them first.
  public Table sparing(String... columns) {
    spare.addAll(List.of(columns));
    return this;
  }

  /// {@return the header and the rows, without trailing blanks, as wide as they are}
  public List<String> lines() {
    return lines(Integer.MAX_VALUE);
  }

  /// {@return the header and the rows in at most `room` columns of a terminal, where what may be
  /// left out and a last column over several lines make that possible}
  public List<String> lines(int room) {
    List<Integer> shown = shown(room);
    int last = shown.getLast();
    int start = width(shown) - width(last);
    int width = room - start;
    boolean isWrapped = width(last) > width && width >= LEAST_TEXT && !isNumeric(last);
    var lines = new ArrayList<String>();
    lines.add(line(headers, shown));
    for (List<String> row : rows) {
      List<String> parts = isWrapped ? Words.wrapped(row.get(last), width) : List.of(row.get(last));
      var first = new ArrayList<>(row);
      first.set(last, parts.getFirst());
      lines.add(line(first, shown));
      parts.stream().skip(1).forEach(part -> lines.add(" ".repeat(start) + part));
    }
    return lines;
  }

  private List<Integer> shown(int room) {
    var shown = new ArrayList<Integer>();
    for (int i = 0; i < headers.size(); i++) {
      shown.add(i);
    }
    for (String column : spare) {
      if (leastWidth(shown) > room) {
        shown.remove((Integer) headers.indexOf(column));
      }
    }
    return shown;
  }

  /// Text in the last column takes several lines before another column goes for it.
  private int leastWidth(List<Integer> shown) {
    int last = shown.getLast();
    int text = isNumeric(last) ? width(last) : Math.min(width(last), GOOD_TEXT);
    return width(shown) - width(last) + text;
  }

  private int width(List<Integer> shown) {
    return shown.stream().mapToInt(this::width).sum() + GAP.length() * (shown.size() - 1);
  }

  private String line(List<String> cells, List<Integer> shown) {
    var line = new StringBuilder();
    for (int i : shown) {
      String cell = cells.get(i);
      String pad = " ".repeat(Math.max(0, width(i) - Width.of(cell)));
      line.append(i == shown.getFirst() ? "" : GAP);
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
