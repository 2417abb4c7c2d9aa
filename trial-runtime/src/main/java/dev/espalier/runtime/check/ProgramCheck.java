package dev.espalier.runtime.check;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.runtime.branch.ProgramFailure;
import dev.espalier.runtime.check.Finding.Outcome;
import dev.espalier.runtime.check.Finding.Verdict;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Runs a training program as workers do, in this process and without a server, and looks whether
/// it keeps to what branches need of it: descriptions that hold, losses that are the samples',
/// forks and restarts that are exact, tunables that count, workers that share the work.
///
/// ```java
/// @Test
/// void keepsToTheRules() throws Exception {
///   ProgramCheck.of(LineFit::new).withArgument("points", "500").requireRight();
/// }
/// ```
///
/// A program whose clock takes milliseconds is checked in seconds: about 200 clocks are run, and a
/// pass over the training samples for ten seconds at most. Arguments that make the model and its
/// data small make it quick. What cannot be seen from outside stays unsaid, above all whether
/// validation samples are others than those that are trained on.
///
/// Immutable.
public final class ProgramCheck {
  /// Clocks between two looks at a branch.
  private static final int CLOCKS = 5;

  private static final long SEED = 1;

  private final Supplier<? extends TrainingProgram> program;
  private final Map<String, String> arguments;
  private final Setting jobSetting;
  private final Map<String, Double> setting;
  private final Optional<Path> data;
  private final long seed;

  private ProgramCheck(
      Supplier<? extends TrainingProgram> program,
      Map<String, String> arguments,
      Setting jobSetting,
      Map<String, Double> setting,
      Optional<Path> data,
      long seed) {
    this.program = program;
    this.arguments = Map.copyOf(arguments);
    this.jobSetting = jobSetting;
    this.setting = Map.copyOf(setting);
    this.data = data;
    this.seed = seed;
  }

  /// A check with every argument and tunable at its default, and seed 1.
  ///
  /// @param program makes a new one each time
  public static ProgramCheck of(Supplier<? extends TrainingProgram> program) {
    return new ProgramCheck(program, Map.of(), Setting.EMPTY, Map.of(), Optional.empty(), SEED);
  }

  /// The same with an argument of the program.
  ///
  /// @param value in the text form of its type, as in a job file
  public ProgramCheck withArgument(String name, String value) {
    var more = new TreeMap<>(arguments);
    more.put(name, value);
    return new ProgramCheck(program, more, jobSetting, setting, data, seed);
  }

  /// The same with a tunable that has another value than its default.
  public ProgramCheck withTunable(String name, double value) {
    var more = new TreeMap<>(setting);
    more.put(name, value);
    return new ProgramCheck(program, arguments, jobSetting, more, data, seed);
  }

  /// The same with the setting of a job in place of the defaults. Unlike those of [#withTunable],
  /// its values may lie outside the program's own ranges: a job file may name others.
  public ProgramCheck withJobSetting(Setting values) {
    return new ProgramCheck(program, arguments, values, setting, data, seed);
  }

  /// The same with a data folder.
  public ProgramCheck withData(Path folder) {
    return new ProgramCheck(program, arguments, jobSetting, setting, Optional.of(folder), seed);
  }

  /// The same with another seed.
  public ProgramCheck withSeed(long value) {
    return new ProgramCheck(program, arguments, jobSetting, setting, data, value);
  }

  /// Makes all checks and fails where the program is wrong.
  ///
  /// @throws AssertionError with a line for each check that failed
  public void requireRight() throws InterruptedException {
    List<Finding> wrong =
        run(_ -> {}).stream().filter(finding -> finding.outcome() == Outcome.FAILED).toList();
    if (!wrong.isEmpty()) {
      throw new AssertionError(
          wrong.stream()
              .map(Finding::toString)
              .collect(Collectors.joining("\n  ", "the program is not right:\n  ", "")));
    }
  }

  /// Makes all checks.
  ///
  /// @param each hears of a finding as soon as it is made
  /// @return all findings in order; after a check that the others need and that failed there are no
  ///   more
  /// @throws EspalierException `INVALID_JOB` for an argument or a tunable that the program has not
  public List<Finding> run(Consumer<Finding> each) throws InterruptedException {
    Subject subject = subject();
    var findings = new ArrayList<Finding>();
    for (Check check : checks()) {
      Finding finding = finding(check, subject);
      findings.add(finding);
      each.accept(finding);
      if (check.isNeeded() && finding.outcome() == Outcome.FAILED) {
        break;
      }
    }
    return findings;
  }

  private static List<Check> checks() {
    return Stream.of(
            FormChecks.all(CLOCKS),
            ExactnessChecks.all(CLOCKS),
            TunableChecks.all(CLOCKS),
            WorkerChecks.all(CLOCKS))
        .flatMap(List::stream)
        .toList();
  }

  private Subject subject() {
    ProgramDescriptor descriptor;
    try (TrainingProgram one = program.get()) {
      descriptor = one.describe();
    }
    requireKnown(
        "argument",
        arguments.keySet().stream().sorted().toList(),
        descriptor.arguments().stream().map(ProgramDescriptor.Argument::name).toList(),
        descriptor);
    return Subject.of(program, descriptor, arguments, data, seed, checked(descriptor));
  }

  private Setting checked(ProgramDescriptor descriptor) {
    var space = new SearchSpace(descriptor.tunables());
    Setting told = Setting.of(setting);
    List<Problem> problems = space.problemsOf(space.defaults().with(told));
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "program %s: %s"
              .formatted(
                  descriptor.name(),
                  problems.stream().map(Problem::message).collect(Collectors.joining("; "))));
    }
    return space.defaults().with(jobSetting).with(told);
  }

  private static void requireKnown(
      String kind, List<String> given, List<String> known, ProgramDescriptor descriptor) {
    for (String name : given) {
      if (!known.contains(name)) {
        throw new EspalierException(
            ErrorCode.INVALID_JOB,
            "program %s has no %s %s; it has %s".formatted(descriptor.name(), kind, name, known));
      }
    }
  }

  private static Finding finding(Check check, Subject subject) throws InterruptedException {
    Verdict verdict;
    try {
      verdict = check.look().at(subject);
    } catch (InterruptedException stop) {
      throw stop;
    } catch (Exception | LinkageError | AssertionError | VirtualMachineError failure) {
      // Checked ones, too, which other languages of the JVM do not declare.
      verdict = Verdict.failed("%s", sentence(subject.name(), failure));
    }
    return new Finding(check.name(), verdict.outcome(), verdict.sentence());
  }

  private static String tooLittle(String what, Throwable failure, String option) {
    return "there is too little %s here, which need not be a mistake of the program: %s; give more by %s in JDK_JAVA_OPTIONS, or make model and data smaller by an argument"
        .formatted(what, failure.getMessage(), option);
  }

  /// {@return what went wrong, for the one who wrote the program}
  static String sentence(String program, Throwable failure) {
    return switch (failure) {
      case EspalierException told -> String.valueOf(told.getMessage());
      case PsException told when told.fault() == PsFault.OUT_OF_MEMORY_BUDGET ->
          tooLittle("memory for the tables", told, "-Despalier.memory.bytes=BYTES");
      case OutOfMemoryError told ->
          tooLittle(
              "heap (%d MiB)".formatted(Runtime.getRuntime().maxMemory() >> 20), told, "-Xmx");
      default -> ProgramFailure.describe(program, failure);
    };
  }
}
