package dev.espalier.bench.tuning;

import dev.espalier.bench.frame.Machine;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What a benchmark came to: a table for the screen, JSON, and a picture for each workload.
final class TuningReport {
  private final String command;
  private final Machine machine;
  private final Map<String, Reference> references;
  private final Map<String, String> titles;
  private final List<RunRecord> runs;
  private final List<Standing> standings;
  private final List<Bars.Bar> bars;

  /// @param references by workload
  /// @param titles of workloads by name
  /// @param runs of all workloads, policies and seeds
  TuningReport(
      String command,
      Machine machine,
      Map<String, Reference> references,
      Map<String, String> titles,
      List<RunRecord> runs) {
    this.command = command;
    this.machine = machine;
    this.references = references;
    this.titles = titles;
    this.runs = runs;
    var all = new ArrayList<Standing>();
    references.forEach((workload, reference) ->
        byPolicy(workload).values().forEach(seeds -> all.add(Standing.of(reference, seeds))));
    this.standings = all;
    this.bars = new Bars(references, standings).bars();
  }

  private Map<String, List<RunRecord>> byPolicy(String workload) {
    var byPolicy = new LinkedHashMap<String, List<RunRecord>>();
    runs.stream()
        .filter(run -> run.workload().equals(workload))
        .forEach(run -> byPolicy.computeIfAbsent(run.policy(), _ -> new ArrayList<>()).add(run));
    return byPolicy;
  }

  /// {@return the table and the bars for a screen}
  String text() {
    var lines = new StringBuilder();
    references.forEach((workload, reference) -> {
      lines.append(
          String.format(
              Locale.ROOT,
              "%n%s: %s from %s, oracle %s, target %s; budget %s, oracle's time to target %s, default's %s%n",
              titles.get(workload),
              reference.metric(),
              number(reference.startQuality()),
              number(reference.oracleQuality()),
              number(reference.target()),
              seconds(reference.budgetSeconds()),
              seconds(reference.oracleSeconds()),
              seconds(reference.carefulSeconds())));
      var table = new Table(header());
      standings.stream()
          .filter(standing -> standing.workload().equals(workload))
          .forEach(standing -> table.row(cells(standing)));
      table.lines().forEach(line -> lines.append(line).append('\n'));
    });
    if (!bars.isEmpty()) {
      lines.append('\n');
      var table = new Table("bar for " + Bars.JUDGED, "measured", "");
      bars.forEach(
          bar -> table.row(bar.name(), bar.figure(), bar.isReached() ? "reached" : "missed"));
      table.lines().forEach(line -> lines.append(line).append('\n'));
    }
    return lines.toString();
  }

  private static List<String> header() {
    return List.of(
        "policy",
        "reached",
        "to target",
        "worst",
        "/ oracle",
        "worst",
        "/ default",
        "quality",
        "worst",
        "of oracle",
        "tuning",
        "most",
        "forks");
  }

  private static List<String> cells(Standing standing) {
    return List.of(
        standing.policy(),
        standing.reached() + "/" + standing.seeds(),
        seconds(standing.seconds()),
        seconds(standing.worstSeconds()),
        ratio(standing.overOracle()),
        ratio(standing.worstOverOracle()),
        ratio(standing.overDefault()),
        number(standing.quality()),
        number(standing.worstQuality()),
        String.format(Locale.ROOT, "%.2f %%", 100 * standing.progress()),
        percent(standing.tuningShare()),
        percent(standing.worstTuningShare()),
        String.format(Locale.ROOT, "%.0f", standing.forks()));
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "-" : String.format(Locale.ROOT, "%.4f", value);
  }

  private static String seconds(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.3g s", value) : "never";
  }

  private static String ratio(double value) {
    return Double.isFinite(value) ? String.format(Locale.ROOT, "%.2f", value) : "-";
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "-" : String.format(Locale.ROOT, "%.0f %%", 100 * share);
  }

  /// Writes `tuning.json`, and `tuning-WORKLOAD.svg` for each workload.
  void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("tuning.json"), Json.write(Json.tree(document())) + "\n");
    for (Map.Entry<String, Reference> entry : references.entrySet()) {
      String workload = entry.getKey();
      String title = titles.getOrDefault(workload, workload);
      Files.writeString(
          folder.resolve("tuning-" + workload + ".svg"),
          new QualityPicture(entry.getValue(), title, byPolicy(workload)).svg());
    }
  }

  /// Puts the tables between the markers of a Markdown document.
  void writeInto(Path file) throws IOException {
    new TuningDocument(command, machine, references, standings, bars).writeInto(file);
  }

  private Map<String, Object> document() {
    var document = new LinkedHashMap<String, Object>();
    document.put("command", command);
    document.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
    document.put("machine", machine);
    var workloads = new ArrayList<Map<String, Object>>();
    references.forEach((name, reference) -> {
      var workload = new LinkedHashMap<String, Object>();
      workload.put("workload", name);
      workload.put("title", titles.get(name));
      workload.put("data", reference.data());
      workload.put("metric", reference.metric());
      workload.put("cost", reference.cost());
      workload.put("budgetSeconds", reference.budgetSeconds());
      workload.put("start", reference.startQuality());
      workload.put("oracle", reference.oracleQuality());
      workload.put("target", reference.target());
      workload.put("oracleSeconds", reference.oracleSeconds());
      workload.put("defaultSeconds", reference.carefulSeconds());
      workload.put("defaultQuality", reference.carefulQuality());
      workload.put(
          "policies",
          standings.stream().filter(standing -> standing.workload().equals(name)).toList());
      workload.put(
          "runs",
          runs.stream()
              .filter(run -> run.workload().equals(name))
              .map(run -> outline(run, reference))
              .toList());
      workloads.add(workload);
    });
    document.put("workloads", workloads);
    document.put("bars", bars);
    return document;
  }

  private static Map<String, Object> outline(RunRecord run, Reference reference) {
    var outline = new LinkedHashMap<String, Object>();
    outline.put("policy", run.policy());
    outline.put("seed", run.seed());
    outline.put("outcome", run.outcome());
    outline.put("secondsToTarget", run.secondsTo(reference.target(), reference.goal()));
    outline.put("best", run.best(reference.goal()));
    outline.put("endSeconds", run.endSeconds());
    outline.put("tuningShare", run.tuningShare());
    outline.put("forks", run.forks());
    return outline;
  }
}
