package dev.espalier.cli;

import dev.espalier.api.model.Goal;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.watch.JobSummary;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
  private static final String JOB = "Id of the job, or latest.";

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
  int show(@Parameters(paramLabel = "JOB", description = JOB) String job) {
    JsonNode answer = invocation.client().get(invocation.jobPath(job) + "/schedule");
    return invocation.show(
        answer, () -> JobSummary.schedule(Json.as(answer, ScheduleView.class).steps()).lines());
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
      @Parameters(paramLabel = "JOB", description = JOB) String job,
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

  /// The result of these two policies is where training ended; of all others it is where the best
  /// validation was.
  private static double epochsOfResult(TunerClient client, String path, JobView job) {
    if (job.policy().equals("mltuner") || job.policy().equals("fixed")) {
      return job.epoch();
    }
    JsonNode metric =
        client.get("/programs/" + TunerClient.segment(job.program())).path("validation").path(0);
    Goal goal = Goal.valueOf(metric.path("goal").asString("MINIMIZE"));
    double best = Double.NaN;
    double epochs = job.epoch();
    for (EvaluationView made : client.all(path + "/evaluations", EvaluationView.class)) {
      Double value = made.metrics().get(metric.path("name").asString(""));
      if (value != null && (Double.isNaN(best) || goal.isBetter(value, best))) {
        best = value;
        epochs = made.epoch();
      }
    }
    return epochs;
  }

  private static Map<String, Object> replay(TunerClient client, String path) {
    var document = new LinkedHashMap<String, Object>();
    client
        .get(path + "/config")
        .properties()
        .forEach(entry -> document.put(entry.getKey(), Json.plain(entry.getValue())));
    var entries = new ArrayList<Map<String, Object>>();
    for (ScheduleView.Step step : client.get(path + "/schedule", ScheduleView.class).steps()) {
      var entry = new LinkedHashMap<String, Object>();
      entry.put("fromClock", step.fromClock());
      entry.put("setting", step.setting());
      entries.add(entry);
    }
    var tuning = new LinkedHashMap<String, Object>();
    tuning.put("policy", "fixed");
    tuning.put("schedule", entries);
    document.put("tuning", tuning);
    JobView job = client.get(path, JobView.class);
    if (job.state().isTerminal() && job.epoch() > 0) {
      document.put("stop", Map.of("maxEpochs", epochsOfResult(client, path, job)));
    }
    return document;
  }
}
