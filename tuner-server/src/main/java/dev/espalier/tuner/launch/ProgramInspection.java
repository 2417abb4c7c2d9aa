package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
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
  /// @param job document of a job file, whose program, arguments, setting and seed are taken
  /// @param values of arguments and tunables, by name, before those of the job; others have their
  ///   defaults
  /// @param data the data folder
  /// @param seed before that of the job; without either 1
  /// @param patience how long it may take
  public record Question(
      Optional<Path> jar,
      Optional<String> program,
      Optional<Map<String, Object>> job,
      Map<String, String> values,
      Optional<Path> data,
      OptionalLong seed,
      Duration patience) {
    public Question {
      values = Map.copyOf(values);
    }

    private Optional<String> name() {
      Optional<String> ofJob =
          job.map(document -> document.get("program"))
              .filter(String.class::isInstance)
              .map(String.class::cast);
      if (ofJob.isPresent() && program.isPresent() && !ofJob.equals(program)) {
        throw new EspalierException(
            ErrorCode.INVALID_JOB,
            "the job file's program is %s, and not %s".formatted(ofJob.get(), program.get()));
      }
      return program.or(() -> ofJob);
    }
  }

  /// Makes all checks.
  ///
  /// @param findings hears of each as soon as it is made: `check`, `outcome` and `sentence`
  /// @param remarks hears each line that program and worker print
  /// @throws EspalierException `NOT_FOUND` when there is no such program, `INVALID_JOB` when a
  ///   value is not one of its, `INTERNAL` when the process fails or does not end in time
  public static void run(Question question, Consumer<JsonNode> findings, Consumer<String> remarks) {
    WorkerCommand command = WorkerCommand.ofDistribution(List.of());
    ProgramDescriptor program = program(command, question);
    var request = new LinkedHashMap<String, Object>();
    requireKnown(program, question.values());
    JobSpec job = job(program, question);
    request.put("program", program.name());
    request.put("arguments", job.arguments());
    request.put("jobSetting", question.job().isPresent() ? settingOf(job).values() : Map.of());
    request.put("setting", setting(program, question.values()).values());
    request.put("data", question.data().map(Path::toString).orElse(""));
    request.put("seed", question.seed().orElse(question.job().isPresent() ? job.seed() : 1));
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
    Optional<String> named = question.name();
    if (named.isEmpty() && offered.size() > 1) {
      throw new EspalierException(
          ErrorCode.NOT_FOUND,
          "%s has several programs: name one of %s with --program"
              .formatted(place, names(offered)));
    }
    String name = named.orElse(offered.getFirst().name());
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

  /// The job of the job file, with the arguments that are given beside it. Without a file they are
  /// read as those of one are, with its words for what is wrong.
  private static JobSpec job(ProgramDescriptor program, Question question) {
    var document =
        new LinkedHashMap<>(question.job().orElse(Map.of("stop", Map.of("maxEpochs", 1))));
    document.put("program", program.name());
    var arguments = new TreeMap<String, Object>();
    question
        .values()
        .forEach((name, value) -> {
          if (!isTunable(program, name)) {
            arguments.put(name, value);
          }
        });
    if (!arguments.isEmpty()) {
      document.merge("arguments", arguments, ProgramInspection::overridden);
    }
    if (question.data().isPresent()) {
      document.put("data", "given");
    }
    if (program.needsData() && !document.containsKey("data")) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "the program %s needs a data folder: name it with --data".formatted(program.name()));
    }
    JobSpecReader.Result read = JobSpecReader.read(document, _ -> Optional.of(program));
    return read.spec()
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_JOB,
                question.job().isPresent()
                    ? Problem.lines("the job file has problems:", read.problems())
                    : String.join("\n", read.problems().stream().map(Problem::message).toList()),
                read.problems()));
  }

  /// What is no mapping stays, and is told of with all that is wrong.
  private static Object overridden(Object ofJob, Object given) {
    if (!(ofJob instanceof Map<?, ?> old && given instanceof Map<?, ?> more)) {
      return ofJob;
    }
    var both = new LinkedHashMap<Object, Object>(old);
    both.putAll(more);
    return both;
  }

  /// {@return what the job's first branch trains with, but for staleness: each check sets its own}
  private static Setting settingOf(JobSpec job) {
    Setting setting = new SearchSpace(job.tunables()).defaults().with(job.tuning().setting());
    return Setting.of(
        setting.values().entrySet().stream()
            .filter(value -> !value.getKey().equals(Tunable.STALENESS))
            .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)));
  }

  private static Setting setting(ProgramDescriptor program, Map<String, String> values) {
    var given = new TreeMap<String, Double>();
    for (Map.Entry<String, String> value : values.entrySet()) {
      if (isTunable(program, value.getKey())) {
        double number =
            number(value.getValue())
                .orElseThrow(() ->
                    new EspalierException(
                        ErrorCode.INVALID_JOB,
                        "%s must be a number but is %s"
                            .formatted(value.getKey(), value.getValue())));
        given.put(value.getKey(), number);
      }
    }
    Setting setting = Setting.of(given);
    var space = new SearchSpace(program.tunables());
    List<Problem> problems = space.problemsOf(space.defaults().with(setting));
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
