package dev.espalier.cli;

import dev.espalier.api.model.Tunable;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier program`.
@Command(
    name = "program",
    description = "Shows the training programs that a server can run.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier program list", "  espalier program describe mlp"})
final class ProgramCommands extends CommandGroup {
  private final Invocation invocation;

  ProgramCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "list",
      description = "Lists the programs.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier program list"})
  int list() {
    List<JsonNode> items = invocation.client().items("/programs");
    return invocation.list(
        items,
        "No programs.",
        () -> {
          var table = new Table("program", "data", "summary");
          items.forEach(item ->
              table.row(
                  item.path("name").asString(""),
                  item.path("needsData").asBoolean(false) ? "needed" : "optional",
                  item.path("summary").asString("")));
          return table;
        });
  }

  @Command(
      name = "describe",
      description = "Shows a program: its arguments, tunables and metrics.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier program describe mlp"})
  int describe(
      @Parameters(paramLabel = "PROGRAM", description = "Name of the program.") String program) {
    JsonNode answer = invocation.client().get("/programs/" + TunerClient.segment(program));
    return invocation.show(answer, () -> lines(answer));
  }

  private static List<String> lines(JsonNode program) {
    var lines = new ArrayList<String>();
    lines.add(program.path("name").asString("") + ": " + program.path("summary").asString(""));
    var arguments = new Table("argument", "type", "default", "values", "summary");
    program
        .path("arguments")
        .forEach(argument ->
            arguments.row(
                argument.path("name").asString(""),
                argument.path("type").asString(""),
                argument.path("defaultValue").asString(""),
                values(argument),
                argument.path("summary").asString("")));
    if (!program.path("arguments").isEmpty()) {
      lines.add("");
      lines.addAll(arguments.lines());
    }
    lines.add("");
    var tunables = new Table("tunable", "type", "default", "values");
    program
        .path("tunables")
        .forEach(tunable ->
            tunables.row(
                tunable.path("name").asString(""),
                tunable.path("type").asString(""),
                Words.number(tunable.path("defaultValue").asDouble(Double.NaN)),
                values(tunable)));
    lines.addAll(tunables.lines());
    lines.add("");
    var metrics = new Table("validation metric", "better is");
    program
        .path("validation")
        .forEach(metric ->
            metrics.row(
                metric.path("name").asString(""),
                metric.path("goal").asString("").equals("MAXIMIZE") ? "more" : "less"));
    lines.addAll(metrics.lines());
    return lines;
  }

  private static String values(JsonNode node) {
    for (String list : List.of("choices", "values")) {
      if (!node.path(list).isEmpty()) {
        return String.join(
            ", ",
            node.path(list)
                .valueStream()
                .map(value -> value.isNumber() ? Words.number(value.asDouble()) : value.asString())
                .toList());
      }
    }
    if (!node.path("min").isNumber() && !node.path("max").isNumber()) {
      return "";
    }
    return bound(node.path("min")) + " to " + bound(node.path("max"));
  }

  private static String bound(JsonNode value) {
    return value.isNumber() ? Tunable.plain(value.asDouble()) : "any";
  }
}
