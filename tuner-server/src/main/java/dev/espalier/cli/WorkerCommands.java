package dev.espalier.cli;

import dev.espalier.api.rest.WorkerView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier worker`.
@Command(
    name = "worker",
    description = "Shows the workers of a job.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier worker list latest"})
final class WorkerCommands extends CommandGroup {
  private final Invocation invocation;

  WorkerCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "list",
      description = "Lists the workers that a job has now, and what holds them up.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier worker list latest"})
  int list(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    List<JsonNode> items = invocation.client().items(invocation.jobPath(job) + "/workers");
    return invocation.list(
        items,
        "No workers: the job waits, or has ended.",
        () -> {
          var table = new Table("worker", "link", "last heard", "stall").sparing("last heard");
          for (JsonNode item : items) {
            WorkerView worker = Json.as(item, WorkerView.class);
            table.row(
                Integer.toString(worker.worker()),
                worker.attached() ? "up" : "down",
                worker.lastHeardTime() == null ? "-" : Words.clock(worker.lastHeardTime()),
                worker.stall() == null ? "-" : worker.stall());
          }
          return table;
        });
  }
}
