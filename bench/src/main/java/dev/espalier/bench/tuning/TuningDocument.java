package dev.espalier.bench.tuning;

import dev.espalier.bench.frame.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// The standings as a part of a Markdown document, between the lines `<!-- bench tuning: begin -->`
/// and `<!-- bench tuning: end -->`.
final class TuningDocument {
  static final String BEGIN = "<!-- bench tuning: begin -->";
  static final String END = "<!-- bench tuning: end -->";

  private final String command;
  private final Machine machine;
  private final Map<String, Reference> references;
  private final List<Standing> standings;
  private final List<Bars.Bar> bars;

  TuningDocument(
      String command,
      Machine machine,
      Map<String, Reference> references,
      List<Standing> standings,
      List<Bars.Bar> bars) {
    this.command = command;
    this.machine = machine;
    this.references = references;
    this.standings = standings;
    this.bars = bars;
  }

  /// Puts the tables into a document; makes the document if there is none.
  ///
  /// @throws IOException also when a document has no markers
  void writeInto(Path file) throws IOException {
    String document = Files.exists(file) ? Files.readString(file) : BEGIN + "\n" + END + "\n";
    int begin = document.indexOf(BEGIN);
    int end = document.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IOException(file + " needs the lines " + BEGIN + " and " + END);
    }
    Files.writeString(
        file, document.substring(0, begin) + BEGIN + "\n" + text() + document.substring(end));
  }

  /// {@return the tables}
  String text() {
    return "\n`%s`, references calibrated on %s.\n\n".formatted(command, machine.processor())
        + workloads()
        + "\n**Time to target over the oracle's**, median over the seeds; in brackets how many seeds"
        + " reached the target where not all did.\n\n"
        + matrix(Standing::overOracle, this::time)
        + "\n**Time to target over the default's.** Where the default never arrives, over the full"
        + " budget (marked <).\n\n"
        + matrix(Standing::overDefault, this::time)
        + "\n**Best quality within the budget**, on the way from the start (0 %) to the oracle's"
        + " (100 %).\n\n"
        + matrix(Standing::progress, (_, progress) -> progress(progress))
        + "\n"
        + summary()
        + (bars.isEmpty() ? "" : "\n" + barTable());
  }

  private String workloads() {
    var rows =
        new StringBuilder(
            "| workload | judged by | start | oracle | target | budget | oracle's time | default's time |\n|---|---|--:|--:|--:|--:|--:|--:|\n");
    references.forEach((name, reference) ->
        rows.append(
            "| `%s`%s | %s | %s | %s | %s | %s | %s | %s |\n"
                .formatted(
                    name,
                    reference.data().equals("generated") ? " (generated data)" : "",
                    reference.metric(),
                    quality(reference.startQuality()),
                    quality(reference.oracleQuality()),
                    quality(reference.target()),
                    seconds(reference.budgetSeconds()),
                    seconds(reference.oracleSeconds()),
                    seconds(reference.carefulSeconds()))));
    return rows.toString();
  }

  private Set<String> policies() {
    var names = new LinkedHashSet<String>();
    standings.forEach(standing -> names.add(standing.policy()));
    return names;
  }

  private Optional<Standing> standing(String workload, String policy) {
    return standings.stream()
        .filter(one -> one.workload().equals(workload) && one.policy().equals(policy))
        .findFirst();
  }

  /// What a cell says of a figure.
  private interface Cell {
    String text(Standing standing, double figure);
  }

  private String matrix(ToDoubleFunction<Standing> figure, Cell text) {
    var rows = new StringBuilder("| policy |");
    references.keySet().forEach(name -> rows.append(" ").append(name).append(" |"));
    rows.append("\n|---|").append("--:|".repeat(references.size())).append("\n");
    for (String policy : policies()) {
      rows.append("| `").append(policy).append("` |");
      for (String workload : references.keySet()) {
        String cell =
            standing(workload, policy)
                .map(one -> text.text(one, figure.applyAsDouble(one)))
                .orElse("");
        rows.append(" ").append(cell).append(" |");
      }
      rows.append("\n");
    }
    return rows.toString();
  }

  private static String progress(double progress) {
    return Double.isFinite(progress) ? String.format(Locale.ROOT, "%.1f %%", 100 * progress) : "-";
  }

  private String time(Standing standing, double value) {
    String reached =
        standing.reached() == standing.seeds()
            ? ""
            : " (" + standing.reached() + "/" + standing.seeds() + ")";
    boolean isBound =
        value == standing.overDefault() && isDefaultLost(standing) && Double.isFinite(value);
    return (isBound ? "< " : "") + (Double.isFinite(value) ? two(value) : "never") + reached;
  }

  private boolean isDefaultLost(Standing standing) {
    Reference reference = references.get(standing.workload());
    return reference != null && !Double.isFinite(reference.carefulSeconds());
  }

  private String summary() {
    var rows =
        new StringBuilder(
            "| policy | all seeds arrive on | / oracle, median over workloads | / default, median | / default, worst | quality >= oracle's on | tuning share, median (most) | forks |\n|---|--:|--:|--:|--:|--:|--:|--:|\n");
    for (String policy : policies()) {
      List<Standing> own = standings.stream().filter(one -> one.policy().equals(policy)).toList();
      long all = own.stream().filter(one -> one.reached() == one.seeds()).count();
      long better = own.stream().filter(one -> one.progress() >= 1).count();
      rows.append(
          "| `%s` | %d of %d | %s | %s | %s | %d of %d | %s (%s) | %.0f |\n"
              .formatted(
                  policy,
                  all,
                  own.size(),
                  ratio(median(own, Standing::overOracle)),
                  ratio(median(own, Standing::overDefault)),
                  ratio(own.stream().mapToDouble(Standing::overDefault).max().orElse(Double.NaN)),
                  better,
                  own.size(),
                  percent(median(own, Standing::tuningShare)),
                  percent(own.stream().mapToDouble(Standing::worstTuningShare).max().orElse(0)),
                  median(own, Standing::forks)));
    }
    return rows.toString();
  }

  private String barTable() {
    return "| bar for `"
        + Bars.JUDGED
        + "` | measured | |\n|---|---|---|\n"
        + bars.stream()
            .map(bar ->
                "| %s | %s | %s |\n"
                    .formatted(
                        bar.name(), bar.figure(), bar.isReached() ? "reached" : "**missed**"))
            .collect(Collectors.joining());
  }

  private static double median(List<Standing> standings, ToDoubleFunction<Standing> figure) {
    var values = new ArrayList<Double>();
    standings.forEach(standing -> values.add(figure.applyAsDouble(standing)));
    return Quantiles.median(values);
  }

  private static String two(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }

  private static String ratio(double value) {
    return Double.isFinite(value) ? two(value) : "never";
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  private static String quality(double value) {
    return String.format(Locale.ROOT, "%.4f", value);
  }

  private static String seconds(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3g s", value) : "never";
  }
}
