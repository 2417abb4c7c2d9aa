package dev.espalier.cli;

import dev.espalier.api.model.Problem;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.api.rest.JobSpecSchema;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier config`.
@Command(
    name = "config",
    description = "Checks job files, prints those of jobs, and their schema.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier config validate job.yaml", "  espalier config schema > job.schema.json"})
final class ConfigCommands extends CommandGroup {
  private final Invocation invocation;

  ConfigCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "validate",
      description = "Checks a job file, with the server's knowledge of programs when it answers.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier config validate job.yaml",
        "  espalier config validate job.yaml -o yaml"
      })
  int validate(
      @Parameters(paramLabel = "FILE", description = "Job file; - reads from standard input.")
          Path file) {
    Map<String, Object> document = invocation.readJobFile(file);
    JsonNode answer;
    try {
      answer = check(invocation.client(), document);
    } catch (CommandFailure e) {
      if (e.status() != ExitStatus.UNREACHABLE && e.status() != ExitStatus.UNAUTHENTICATED) {
        throw e;
      }
      return withoutServer(document, e);
    }
    return show(invocation, answer);
  }

  /// {@return what a server says of a job file that it also had a worker try to open}
  static JsonNode check(TunerClient client, Map<String, Object> document) {
    return client.post("/jobs?dryRun=true&tryOut=true", document);
  }

  /// Shows what a job file comes to; warnings stand beside, where a program does not read.
  static int show(Invocation invocation, JsonNode answer) {
    JsonNode config = answer.path("config");
    JsonNode warnings = answer.path("warnings");
    warnings.forEach(warning -> warn(invocation, warning.asString()));
    String valid =
        warnings.isEmpty()
            ? "The job file is valid; it comes to:"
            : "The job file is valid, but mind the warnings; it comes to:";
    return invocation.show(config, () -> List.of(valid, "", Json.yaml(config)));
  }

  /// Warns of keys that have no effect, where no server is asked for warnings.
  static void warnOfKeys(Invocation invocation, Map<String, Object> document) {
    JobSpecReader.withoutEffect(document).forEach(warning -> warn(invocation, warning));
  }

  private static void warn(Invocation invocation, String warning) {
    invocation.err().println("espalier: warning: " + warning);
  }

  /// Program, arguments and data are known to a server only.
  private int withoutServer(Map<String, Object> document, CommandFailure why) {
    List<Problem> problems =
        JobSpecReader.read(document, name -> Optional.empty()).problems().stream()
            .filter(problem -> !problem.message().startsWith("there is no program "))
            .toList();
    if (!problems.isEmpty()) {
      throw new CommandFailure(
          ExitStatus.INVALID_JOB, Problem.lines("the job file has problems:", problems));
    }
    warnOfKeys(invocation, document);
    invocation
        .err()
        .println(
            "espalier: checked without a server, so program, arguments and data were not: "
                + why.words());
    return invocation.show(Json.tree(document), () -> List.of("No problems found."));
  }

  @Command(
      name = "show",
      description =
          "Prints the job file of a job, with its defaults: submit it again for another run.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier config show latest > again.yaml"})
  int show(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    JsonNode answer = invocation.client().get(invocation.jobPath(job) + "/config");
    return invocation.show(answer, () -> Json.yaml(answer).lines().toList());
  }

  @Command(
      name = "schema",
      description = "Prints the JSON Schema of job files, for completion in editors.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier config schema > job.schema.json"})
  int schema() {
    invocation.out().print(JobSpecSchema.json());
    invocation.out().flush();
    return ExitStatus.OK.code();
  }
}
