package dev.espalier.bench.frame;

import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/// The figures of one run as tables, as JSON and as parts of a document.
///
/// A JSON file holds one object `{"suite": ..., "sections": [...]}`. In a document the table of
/// part `P` of suite `S` stands between the lines `<!-- bench S P: begin -->` and `... end -->`; a
/// suite of a single part leaves `P` out.
///
/// @param suite name of the suite
/// @param sections one for each part that was measured
record Report(String suite, List<Section> sections) {
  private static final List<String> HEADER =
      List.of("measured", "value", "unit", "beside", "value", "ratio");
  private static final String GOAL = "goal";

  Report {
    sections = List.copyOf(sections);
  }

  /// {@return three digits of a number, without an exponent}
  static String text(double value) {
    if (!Double.isFinite(value)) {
      return "-";
    }
    BigDecimal rounded = new BigDecimal(value).round(new MathContext(3));
    return rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
  }

  private static List<List<String>> rows(Section section) {
    boolean hasGoals = hasGoals(section);
    return section.measurements().stream()
        .map(figure -> {
          var cells = new ArrayList<String>();
          cells.add(figure.name());
          cells.add(text(figure.value()));
          cells.add(figure.unit());
          cells.add(figure.reference());
          cells.add(text(figure.referenceValue()));
          cells.add(text(figure.ratio()));
          if (hasGoals) {
            cells.add(figure.goal().map(goal -> goal.text(figure)).orElse(""));
          }
          return (List<String>) cells;
        })
        .toList();
  }

  private static List<String> header(Section section) {
    var header = new ArrayList<>(HEADER);
    if (hasGoals(section)) {
      header.add(GOAL);
    }
    return header;
  }

  private static boolean hasGoals(Section section) {
    return section.measurements().stream().anyMatch(figure -> figure.goal().isPresent());
  }

  /// {@return the tables for a screen}
  String table() {
    return sections.stream().map(Report::table).collect(Collectors.joining("\n"));
  }

  private static String table(Section section) {
    List<List<String>> rows = rows(section);
    List<String> header = header(section);
    var lines = new StringBuilder(section.name() + ": " + section.machine().line()).append("\n\n");
    int[] widths = new int[header.size()];
    for (int column = 0; column < widths.length; column++) {
      widths[column] = header.get(column).length();
      for (List<String> row : rows) {
        widths[column] = Math.max(widths[column], row.get(column).length());
      }
    }
    append(lines, header, widths);
    rows.forEach(row -> append(lines, row, widths));
    return lines.toString();
  }

  private static void append(StringBuilder lines, List<String> row, int[] widths) {
    for (int column = 0; column < widths.length; column++) {
      String cell = row.get(column);
      String fill = " ".repeat(widths[column] - cell.length());
      boolean isNumber = column == 1 || column == 4 || column == 5;
      lines.append(isNumber ? fill + cell : cell + fill).append("  ");
    }
    lines.setLength(lines.toString().stripTrailing().length());
    lines.append('\n');
  }

  /// Writes everything as JSON; sections of the file whose parts were not measured now stay.
  void writeJson(Path file) throws IOException {
    makeFolderOf(file);
    Map<String, JsonNode> byName = new LinkedHashMap<>();
    if (Files.exists(file)) {
      for (JsonNode section : Json.parse(Files.readString(file)).path("sections")) {
        byName.put(section.path("name").asString(), section);
      }
    }
    for (Section section : sections) {
      byName.put(section.name(), Json.tree(tree(section)));
    }
    var document = new LinkedHashMap<String, Object>();
    document.put("suite", suite);
    document.put("sections", List.copyOf(byName.values()));
    Files.writeString(file, Json.write(Json.tree(document)) + "\n");
  }

  private static Map<String, Object> tree(Section section) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("name", section.name());
    tree.put("command", section.command());
    tree.put("time", section.time().toString());
    tree.put("machine", section.machine());
    tree.put("measurements", section.measurements().stream().map(Report::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(Measurement figure) {
    var tree = new LinkedHashMap<String, Object>();
    tree.put("name", figure.name());
    tree.put("value", figure.value());
    tree.put("unit", figure.unit());
    tree.put("reference", figure.reference());
    tree.put("referenceValue", figure.referenceValue());
    figure.goal().ifPresent(goal -> tree.put("goal", goal.text(figure)));
    return tree;
  }

  /// Puts each table between its markers; makes the document if there is none.
  ///
  /// @throws IOException also when a document lacks markers
  void writeMarkdown(Path file) throws IOException {
    makeFolderOf(file);
    String document =
        Files.exists(file)
            ? Files.readString(file)
            : sections.stream()
                .map(section -> begin(section) + "\n" + end(section) + "\n")
                .collect(Collectors.joining("\n"));
    for (Section section : sections) {
      document = replaced(file, document, section);
    }
    Files.writeString(file, document);
  }

  private String replaced(Path file, String document, Section section) throws IOException {
    int begin = document.indexOf(begin(section));
    int end = document.indexOf(end(section));
    if (begin < 0 || end < begin) {
      throw new IOException(file + " needs the lines " + begin(section) + " and " + end(section));
    }
    return document.substring(0, begin)
        + begin(section)
        + "\n"
        + markdown(section)
        + document.substring(end);
  }

  private String begin(Section section) {
    return "<!-- bench " + marker(section) + ": begin -->";
  }

  private String end(Section section) {
    return "<!-- bench " + marker(section) + ": end -->";
  }

  private String marker(Section section) {
    return section.name().equals(suite) ? suite : suite + " " + section.name();
  }

  private static String markdown(Section section) {
    String rows =
        rows(section).stream()
            .map(row -> "| " + String.join(" | ", row) + " |\n")
            .collect(Collectors.joining());
    return "\n"
        + section.origin()
        + "\n\n| "
        + String.join(" | ", header(section))
        + " |\n|---|--:|---|---|--:|--:|"
        + (hasGoals(section) ? "---|" : "")
        + "\n"
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
