package dev.espalier.cli;

import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.Shape;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.watch.JobSummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier schedule`.
@Command(
    name = "schedule",
    description = "Shows and exports the schedule that a job found.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier schedule show latest",
      "  espalier schedule export latest --format java > FoundSchedule.java"
    })
final class ScheduleCommands extends CommandGroup {
  /// What says which samples are not trained on.
  private static final List<String> HELD_OUT = List.of("probe", "probeSamples", "probeShare");

  private final Invocation invocation;

  ScheduleCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  /// What a schedule can be exported as.
  enum Format {
    JSON,
    CSV,
    JAVA,
    JOB
  }

  @Command(
      name = "show",
      description = "Shows the settings of the mainline over time.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier schedule show latest"})
  int show(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    JsonNode answer = invocation.client().get(invocation.jobPath(job) + "/schedule");
    return invocation.show(answer, () -> JobSummary.schedule(Json.as(answer, ScheduleView.class)));
  }

  @Command(
      name = "export",
      description = "Writes the schedule for other programs to standard output.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier schedule export latest --format csv > schedule.csv",
        "  espalier schedule export latest --format java > FoundSchedule.java",
        "  espalier schedule export latest --format job | espalier job submit -"
      })
  int export(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(
              names = "--format",
              paramLabel = "FORMAT",
              defaultValue = "json",
              description =
                  "json, csv, java, or job for a job file that trains with it"
                      + " (default: ${DEFAULT-VALUE}).")
          Format format) {
    TunerClient client = invocation.client();
    String path = invocation.jobPath(job);
    String text =
        switch (format) {
          case JSON -> Json.write(client.get(path + "/schedule")) + "\n";
          case CSV, JAVA ->
              client.text(path + "/schedule?format=" + format.name().toLowerCase(Locale.ROOT));
          case JOB -> Json.yaml(Json.tree(replay(client, path)));
        };
    invocation.out().print(text);
    invocation.out().flush();
    return ExitStatus.OK.code();
  }

  private static Map<String, Object> replay(TunerClient client, String path) {
    var document = new LinkedHashMap<String, Object>();
    client
        .get(path + "/config")
        .properties()
        .forEach(entry -> document.put(entry.getKey(), Json.plain(entry.getValue())));
    ScheduleView schedule = client.get(path + "/schedule", ScheduleView.class);
    var tuning = new LinkedHashMap<String, Object>();
    tuning.put("policy", PolicyName.FIXED);
    JobView job = client.get(path, JobView.class);
    if (job.policy().equals(PolicyName.RACING)
        && document.get("tuning") instanceof Map<?, ?> raced
        && raced.get("racing") instanceof Map<?, ?> options) {
      tuning.put("holdOut", true);
      var heldOut = new LinkedHashMap<String, Object>();
      HELD_OUT.forEach(key -> heldOut.put(key, options.get(key)));
      tuning.put("racing", heldOut);
    }
    tuning.put("schedule", schedule.found().stream().map(ScheduleCommands::entry).toList());
    document.put("tuning", tuning);
    ScheduleView.Result result = schedule.result();
    double epochs = result == null ? job.epoch() : result.epoch();
    if (job.state().isTerminal() && epochs > 0) {
      document.put("stop", Map.of("maxEpochs", epochs));
    }
    return document;
  }

  private static Map<String, Object> entry(ScheduleView.ResultStep step) {
    var entry = new LinkedHashMap<String, Object>();
    entry.put("fromClock", step.fromClock());
    entry.put("setting", step.setting());
    Shape.LinearToZero fall = step.cooldown();
    if (fall != null) {
      entry.put("cooldown", Map.of("fromClock", fall.fromClock(), "untilClock", fall.untilClock()));
    }
    return entry;
  }
}
