package dev.espalier.cli;

import dev.espalier.api.model.EspalierException;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.tuner.launch.ProgramInspection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier program check`.
@Command(
    name = "check",
    description = {
      "Runs a training program and says whether it is right for the tuner.",
      "Starts a worker process that trains, forks, restarts and measures as jobs do: the same seed"
          + " must be the same run, a fork and a restart must go on exactly, measuring must change"
          + " nothing, tunables must count, and two workers must share what one does alone. Needs no"
          + " server. Exits with 0 when the program is right, with 11 when not."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier program check line-fit.jar",
      "  espalier program check mine.jar --data ~/data/mine --set rank=4 --set learningRate=0.1",
      "  espalier program check --program mf",
      "  espalier program check mine.jar --job job.yaml --data ~/data/mine"
    })
final class ProgramCheckCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "JAR",
      description = "Jar that declares the program; left out for a built-in one.")
  @Nullable Path jar;

  @Option(
      names = "--program",
      paramLabel = "NAME",
      description = "Name of the program, where the jar has several or there is none.")
  @Nullable String program;

  @Option(
      names = "--job",
      paramLabel = "FILE",
      description =
          "Job file whose program, arguments, data, seed and setting are taken; - reads from standard"
              + " input.")
  @Nullable Path job;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description =
          "An argument or a tunable that has another value than its default or the job's: what makes"
              + " the model small makes the check quick.")
  Map<String, String> values = Map.of();

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description =
          "The program's data folder (default: that of the job, below data in ESPALIER_HOME).")
  @Nullable Path data;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Seed of the runs (default: the job's, else 1).")
  @Nullable Long seed;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description = "How long all of it may take (default: 600).")
  long timeoutSeconds = 600;

  @Option(
      names = "--show-output",
      description = "Show what the program and its worker print, on standard error.")
  boolean showOutput;

  ProgramCheckCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    requirePossible();
    Optional<Map<String, Object>> document = Optional.ofNullable(job).map(invocation::readJobFile);
    Optional<Path> folder =
        Optional.ofNullable(data)
            .map(Path::toAbsolutePath)
            .or(() -> document.flatMap(this::dataOf));
    var findings = new ArrayList<JsonNode>();
    try {
      ProgramInspection.run(
          new ProgramInspection.Question(
              Optional.ofNullable(jar),
              Optional.ofNullable(program),
              document,
              values,
              folder,
              seed == null ? OptionalLong.empty() : OptionalLong.of(seed),
              Duration.ofSeconds(timeoutSeconds)),
          finding -> {
            findings.add(finding);
            if (invocation.isTable()) {
              invocation.terminal().line(line(finding));
              invocation.out().flush();
            }
          },
          remark -> {
            if (showOutput) {
              invocation.err().println(remark);
            }
          });
    } catch (EspalierException failure) {
      throw new CommandFailure(
          ExitStatus.of(failure.code(), ExitStatus.WRONG_PROGRAM),
          failed(failure, findings),
          failure);
    }
    long wrong = count(findings, "FAILED");
    if (invocation.isTable()) {
      invocation.terminal().line(sum(findings, wrong));
    } else {
      invocation.show(Json.tree(findings), List::of);
    }
    return (wrong == 0 ? ExitStatus.OK : ExitStatus.WRONG_PROGRAM).code();
  }

  private void requirePossible() {
    if (jar == null && program == null && job == null) {
      throw new CommandFailure(
          ExitStatus.USAGE, "name a JAR, a built-in program with --program, or a job with --job");
    }
    if (timeoutSeconds < 1) {
      throw new CommandFailure(ExitStatus.USAGE, "timeout must be >= 1 but is " + timeoutSeconds);
    }
    if (jar != null && !Files.isReadable(jar)) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no file " + jar);
    }
    if (data != null && !Files.isDirectory(data)) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no folder " + data);
    }
  }

  /// {@return where the job's data lie on this machine: below the folder that servers read from
  /// when they are told no other one}
  private Optional<Path> dataOf(Map<String, Object> document) {
    if (!(document.get("data") instanceof String named)) {
      return Optional.empty();
    }
    Path folder = invocation.home().resolve("data").resolve(named).toAbsolutePath();
    if (!Files.isDirectory(folder)) {
      throw new CommandFailure(
          ExitStatus.NOT_FOUND,
          "the job's data %s are not at %s; name their folder with --data"
              .formatted(named, folder));
    }
    return Optional.of(folder);
  }

  private static String failed(EspalierException failure, List<JsonNode> findings) {
    String message = String.valueOf(failure.getMessage());
    return findings.isEmpty()
        ? message
        : "after the check '%s': %s; --show-output may tell more"
            .formatted(findings.getLast().path("check").asString(), message);
  }

  private String line(JsonNode finding) {
    Terminal terminal = invocation.terminal();
    String outcome = finding.path("outcome").asString();
    String mark =
        switch (outcome) {
          case "PASSED" -> terminal.styled(Terminal.Style.GREEN, "ok   ");
          case "WARNED" -> terminal.styled(Terminal.Style.YELLOW, "odd  ");
          case "FAILED" -> terminal.styled(Terminal.Style.RED, "WRONG");
          default -> terminal.styled(Terminal.Style.DIM, "-    ");
        };
    return "%s %-37s %s"
        .formatted(mark, finding.path("check").asString(), finding.path("sentence").asString());
  }

  private static String sum(List<JsonNode> findings, long wrong) {
    return "%d checks: %d right, %d odd, %d wrong, %d without anything to look at."
        .formatted(
            findings.size(),
            count(findings, "PASSED"),
            count(findings, "WARNED"),
            wrong,
            count(findings, "SKIPPED"));
  }

  private static long count(List<JsonNode> findings, String outcome) {
    return findings.stream()
        .filter(finding -> finding.path("outcome").asString().equals(outcome))
        .count();
  }
}
