package dev.espalier.cli;

import dev.espalier.api.rest.DecisionView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier decision`.
@Command(
    name = "decision",
    description = "Shows what was decided in a job, and why.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier decision list latest"})
final class DecisionCommands extends CommandGroup {
  private final Invocation invocation;

  DecisionCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "list",
      description = "Lists the decisions of a job; -o json shows the numbers behind them.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier decision list latest", "  espalier decision list latest -o json"})
  int list(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    List<JsonNode> items =
        invocation.client().items(invocation.jobPath(job) + "/decisions?pageSize=1000");
    return invocation.list(
        items,
        "No decisions yet.",
        () -> {
          var table =
              new Table("time", "decision", "rule", "by", "outcome")
                  .sparing("rule", "by", "decision");
          for (JsonNode item : items) {
            DecisionView decision = Json.as(item, DecisionView.class);
            table.row(
                Words.clock(decision.time()),
                decision.key(),
                decision.rule(),
                decision.actor(),
                decision.outcome());
          }
          return table;
        });
  }
}
