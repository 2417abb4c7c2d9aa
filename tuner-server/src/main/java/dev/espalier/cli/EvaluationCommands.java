package dev.espalier.cli;

import dev.espalier.api.rest.EvaluationView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier evaluation`.
@Command(
    name = "evaluation",
    description = "Shows the validation results of a job.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier evaluation list latest"})
final class EvaluationCommands extends CommandGroup {
  private final Invocation invocation;

  EvaluationCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "list",
      description =
          "Lists the validation results of a job, oldest first: of its mainline, or of all runs of"
              + " a population.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier evaluation list latest", "  espalier evaluation list latest -o json"})
  int list(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    List<JsonNode> items =
        invocation.client().items(invocation.jobPath(job) + "/evaluations?pageSize=1000");
    return invocation.list(items, "No evaluations yet.", () -> table(items));
  }

  private static Table table(List<JsonNode> items) {
    List<EvaluationView> evaluations =
        items.stream().map(item -> Json.as(item, EvaluationView.class)).toList();
    var metrics = new TreeSet<String>();
    evaluations.forEach(evaluation -> metrics.addAll(evaluation.metrics().keySet()));
    var columns = new ArrayList<>(List.of("start", "branch", "clock", "epoch", "time"));
    columns.addAll(metrics);
    var table =
        new Table(columns.toArray(String[]::new)).sparing("start", "clock", "time", "branch");
    for (EvaluationView evaluation : evaluations) {
      var row =
          new ArrayList<>(
              List.of(
                  Integer.toString(evaluation.start()),
                  evaluation.branch() == null ? "-" : "#" + evaluation.branch(),
                  Long.toString(evaluation.mainlineClock()),
                  Words.number(evaluation.epoch()),
                  Words.seconds(evaluation.atSeconds())));
      metrics.forEach(metric -> row.add(Words.number(evaluation.metrics().get(metric))));
      table.row(row.toArray(String[]::new));
    }
    return table;
  }
}
