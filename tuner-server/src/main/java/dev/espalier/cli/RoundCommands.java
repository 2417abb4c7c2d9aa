package dev.espalier.cli;

import dev.espalier.api.rest.RoundView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier round`.
@Command(
    name = "round",
    description = "Starts and lists tuning rounds.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier round start latest", "  espalier round list latest"})
final class RoundCommands extends CommandGroup {
  private final Invocation invocation;

  RoundCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "start",
      description = "Re-tunes a job now.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier round start latest"})
  int start(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    JsonNode answer = invocation.client().post(invocation.jobPath(job) + "/rounds");
    return invocation.show(
        answer, () -> List.of("A tuning round of " + answer.path("id").asString(job) + " starts."));
  }

  @Command(
      name = "list",
      description = "Lists the tuning rounds of a job.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier round list latest"})
  int list(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    List<JsonNode> items =
        invocation.client().items(invocation.jobPath(job) + "/rounds?pageSize=1000");
    return invocation.list(
        items,
        "No rounds.",
        () -> {
          var table =
              new Table(
                      "round",
                      "trigger",
                      "phase",
                      "parent",
                      "trials",
                      "trial time",
                      "winner",
                      "outcome")
                  .sparing("trial time", "parent", "phase", "trials", "trigger", "winner");
          for (JsonNode item : items) {
            RoundView round = Json.as(item, RoundView.class);
            table.row(
                Integer.toString(round.round()),
                round.trigger().name(),
                round.phase(),
                "#" + round.parent(),
                round.trials() + " of " + round.maxTrials(),
                Words.seconds(round.trialSeconds()),
                round.winner() == null ? "-" : "#" + round.winner(),
                round.outcome());
          }
          return table;
        });
  }
}
