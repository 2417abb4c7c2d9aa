package dev.espalier.bench;

import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.stream.Collectors;

/// The figures of one run as a table, as JSON and as part of a document.
///
/// @param command what to type to get such a report
record Report(String command, Instant time, Machine machine, List<Measurement> measurements) {
  static final String BEGIN = "<!-- bench main: begin -->";
  static final String END = "<!-- bench main: end -->";
  private static final List<String> HEADER =
      List.of("measured", "value", "unit", "beside", "value", "ratio");

  Report {
    measurements = List.copyOf(measurements);
    time = time.truncatedTo(ChronoUnit.SECONDS);
  }

  /// {@return three digits of a number, without an exponent}
  static String text(double value) {
    if (!Double.isFinite(value)) {
      return "-";
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(3));
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }

  private List<List<String>> rows() {
    return measurements.stream()
        .map(figure ->
            List.of(
                figure.name(),
                text(figure.value()),
                figure.unit(),
                figure.reference(),
                text(figure.referenceValue()),
                text(figure.ratio())))
        .toList();
  }

  /// {@return the table for a screen}
  String table() {
    List<List<String>> rows = rows();
    var lines = new StringBuilder(machine.line()).append("\n\n");
    int[] widths = new int[HEADER.size()];
    for (int column = 0; column < widths.length; column++) {
      widths[column] = HEADER.get(column).length();
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    append(lines, HEADER, widths);
    rows.forEach(row -> append(lines, row, widths));
    return lines.toString();
  }

  private static void append(StringBuilder lines, List<String> row, int[] widths) {
    for (int column = 0; column < widths.length; column++) {
      String cell = row.get(column);
      String fill = " ".repeat(widths[column] - cell.length());
      boolean isNumber = column == 1 || column >= 4;
      lines.append(isNumber ? fill + cell : cell + fill).append("  ");
    }
    lines.setLength(lines.toString().stripTrailing().length());
    lines.append('\n');
  }

  /// Writes everything as JSON.
  void writeJson(Path file) throws IOException {
    makeFolderOf(file);
    var document = new LinkedHashMap<String, Object>();
    document.put("command", command);
    document.put("time", time.toString());
    document.put("machine", machine);
    document.put("measurements", measurements);
    Files.writeString(file, Json.write(Json.tree(document)) + "\n");
  }

  /// Puts the table between the markers of a document; makes the document if there is none.
  ///
  /// @throws IOException also when a document has no markers
  void writeMarkdown(Path file) throws IOException {
    makeFolderOf(file);
    String document = Files.exists(file) ? Files.readString(file) : BEGIN + "\n" + END + "\n";
    int begin = document.indexOf(BEGIN);
    int end = document.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(file + " needs the lines " + BEGIN + " and " + END);
    }
    Files.writeString(
        file, document.substring(0, begin) + BEGIN + "\n" + markdown() + document.substring(end));
  }

  private String markdown() {
    String rows =
        rows().stream()
            .map(row -> "| " + String.join(" | ", row) + " |\n")
            .collect(Collectors.joining());
    return "\n`"
        + command
        + "` on "
        + time.toString().substring(0, 10)
        + ": "
        + machine.line()
        + ".\n\n| "
        + String.join(" | ", HEADER)
        + " |\n|---|--:|---|---|--:|--:|\n"
        + rows
        + "\n";
  }

  private static void makeFolderOf(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
  }
}
