package dev.espalier.tuner.boot;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.tuner.launch.DescribedPrograms;
import dev.espalier.tuner.launch.WorkerCommand;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Has a worker process run a training program and say whether it is right. Needs no server.
public final class ProgramInspection {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private ProgramInspection() {}

  /// What is to be looked at.
  ///
  /// @param jar that declares the program; empty for a built-in one
  /// @param program its name; empty where the jar declares one only
  /// @param values of arguments and tunables, by name; others have their defaults
  /// @param data the data folder
  /// @param patience how long it may take
  public record Question(
      Optional<Path> jar,
      Optional<String> program,
      Map<String, String> values,
      Optional<Path> data,
      long seed,
      Duration patience) {
    public Question {
      values = Map.copyOf(values);
    }
  }

  /// Makes all checks.
  ///
  /// @param findings hears of each as soon as it is made: `check`, `outcome` and `sentence`
  /// @param remarks hears each line that program and worker print
  /// @throws EspalierException `NOT_FOUND` when there is no such program, `INVALID_JOB` when a
  ///   value is not one of its, `INTERNAL` when the process fails or does not end in time
  public static void run(Question question, Consumer<JsonNode> findings, Consumer<String> remarks) {
    WorkerCommand command = RunnerConfiguration.workerCommand(List.of());
    ProgramDescriptor program = program(command, question);
    var request = new LinkedHashMap<String, Object>();
    requireKnown(program, question.values());
    Setting setting = setting(program, question.values());
    request.put("program", program.name());
    request.put("arguments", arguments(program, question.values()));
    request.put("setting", setting.values());
    request.put("data", question.data().map(Path::toString).orElse(""));
    request.put("seed", question.seed());
    command.ask(
        question.jar().stream().toList(),
        "check",
        JSON.writeValueAsBytes(request),
        question.patience().toSeconds(),
        line -> findings.accept(JSON.readTree(line)),
        remarks);
  }

  private static ProgramDescriptor program(WorkerCommand command, Question question) {
    List<ProgramDescriptor> builtIn = DescribedPrograms.builtIn(command);
    List<ProgramDescriptor> offered =
        question.jar().map(jar -> DescribedPrograms.declaredIn(command, jar)).orElse(builtIn);
    String place = question.jar().map(Path::toString).orElse("the worker runtime");
    if (offered.isEmpty()) {
      throw new EspalierException(
          ErrorCode.NOT_FOUND, place + " declares no program in " + DescribedPrograms.DECLARATION);
    }
    if (question.program().isEmpty() && offered.size() > 1) {
      throw new EspalierException(
          ErrorCode.NOT_FOUND,
          "%s has several programs: name one of %s with --program"
              .formatted(place, names(offered)));
    }
    String name = question.program().orElse(offered.getFirst().name());
    if (question.jar().isPresent() && names(builtIn).contains(name)) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "program %s has the name of a built-in program: servers leave it out".formatted(name));
    }
    return offered.stream()
        .filter(one -> one.name().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.NOT_FOUND,
                "%s has no program %s; it has %s".formatted(place, name, names(offered))));
  }

  private static List<String> names(List<ProgramDescriptor> programs) {
    return programs.stream().map(ProgramDescriptor::name).toList();
  }

  private static void requireKnown(ProgramDescriptor program, Map<String, String> values) {
    var known = new ArrayList<String>();
    program.arguments().forEach(argument -> known.add(argument.name()));
    program.tunables().forEach(tunable -> known.add(tunable.name()));
    for (String name : values.keySet()) {
      if (!known.contains(name)) {
        throw new EspalierException(
            ErrorCode.INVALID_JOB,
            "program %s has neither an argument nor a tunable %s; it has %s"
                .formatted(program.name(), name, known));
      }
    }
  }

  private static boolean isTunable(ProgramDescriptor program, String name) {
    return program.tunables().stream().anyMatch(tunable -> tunable.name().equals(name));
  }

  /// Arguments are read as those of a job file are, with its words for what is wrong.
  private static Map<String, String> arguments(
      ProgramDescriptor program, Map<String, String> values) {
    var given = new TreeMap<String, Object>();
    values.forEach((name, value) -> {
      if (!isTunable(program, name)) {
        given.put(name, value);
      }
    });
    var document = new LinkedHashMap<String, Object>();
    document.put("program", program.name());
    document.put("arguments", given);
    document.put("data", "given");
    document.put("stop", Map.of("maxEpochs", 1));
    JobSpecReader.Result read = JobSpecReader.read(document, _ -> Optional.of(program));
    if (read.spec().isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          String.join("\n", read.problems().stream().map(Problem::message).toList()));
    }
    return read.spec().map(JobSpec::arguments).orElseThrow();
  }

  private static Setting setting(ProgramDescriptor program, Map<String, String> values) {
    var space = new SearchSpace(program.tunables());
    Setting setting = space.defaults();
    for (Map.Entry<String, String> value : values.entrySet()) {
      if (isTunable(program, value.getKey())) {
        double number =
            number(value.getValue())
                .orElseThrow(() ->
                    new EspalierException(
                        ErrorCode.INVALID_JOB,
                        "%s must be a number but is %s"
                            .formatted(value.getKey(), value.getValue())));
        setting = setting.with(value.getKey(), number);
      }
    }
    List<Problem> problems = space.problemsOf(setting);
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          problems.stream().map(Problem::message).collect(Collectors.joining("\n")),
          problems);
    }
    return setting;
  }

  private static Optional<Double> number(String text) {
    try {
      return Optional.of(Double.parseDouble(text));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
