package dev.espalier.bench.tuning;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.Setting;
import dev.espalier.bench.frame.Machine;
import dev.espalier.cli.client.CommandFailure;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// `espalier bench tuning`: tuning policies against each other, and against what fixed settings
/// reach.
public final class TuningBenchmark {
  private static final int LEAST_REFERENCE_SEEDS = 5;

  /// A job gets at least this many times the oracle's time to the target.
  private static final double LEAST_ORACLE_TIMES = 2;

  /// Policies that train a population get more: ten times what `racing` may take, so that it can be
  /// seen whether they are ten times slower ...
  private static final double PATIENT_ORACLE_TIMES = 13;

  /// ... and the time for ten whole runs, so that they can be what they are: a population of `pbt`,
  /// brackets of `hyperband`, and more runs than `bayes` needs before its first model.
  private static final double WHOLE_RUNS = 10;

  private final TuningOptions options;
  private final Pool pool;
  private final References references;

  private TuningBenchmark(TuningOptions options, Pool pool) {
    this.options = options;
    this.pool = pool;
    this.references = new References(options.references(), pool);
  }

  /// Runs a command line.
  ///
  /// @param arguments without the word `tuning`
  /// @param home the project's folder
  /// @return exit status: 0 when all ran, 1 when something failed, 2 for wrong arguments
  public static int run(List<String> arguments, Path home) {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      System.out.print(TuningOptions.USAGE);
      return 0;
    }
    TuningOptions options;
    List<Workload> workloads;
    try {
      options = TuningOptions.parse(arguments, home);
      workloads = workloads(options);
    } catch (IllegalArgumentException | IOException | CommandFailure e) {
      System.err.println("espalier bench tuning: " + e.getMessage());
      return 2;
    }
    if (options.isList()) {
      workloads.forEach(
          workload -> System.out.printf("%-18s %s%n", workload.name(), workload.label()));
      return 0;
    }
    var progress = new ProgressLine(System.err, System.console() != null);
    try (var pool = new Pool(options.jobs(), progress)) {
      return new TuningBenchmark(options, pool).run(workloads);
    } catch (IOException | IllegalArgumentException | EspalierException e) {
      System.err.println("espalier bench tuning: " + e.getMessage());
      return 1;
    }
  }

  private static List<Workload> workloads(TuningOptions options) throws IOException {
    Map<String, Workload> known = Workloads.builtIn();
    if (options.file().isPresent()) {
      known.putAll(Workloads.read(options.file().get()));
    }
    var chosen = new ArrayList<Workload>();
    for (String name : options.workloads().isEmpty() ? known.keySet() : options.workloads()) {
      Workload workload = known.get(name);
      if (workload == null) {
        throw new IllegalArgumentException(
            "there is no workload " + name + "; there are " + known.keySet());
      }
      chosen.add(workload);
    }
    return Workloads.locate(chosen, options.data());
  }

  private int run(List<Workload> workloads) throws IOException {
    if (options.isCalibration()) {
      for (Workload workload : workloads) {
        Reference reference = references.calibrate(workload);
        System.out.printf(
            "%s: %s, epoch %.4g s, budget %.4g s%n",
            workload.name(), reference.cost(), reference.epochSeconds(), reference.budgetSeconds());
      }
      return 0;
    }
    var known = new LinkedHashMap<String, Reference>();
    for (Workload workload : workloads) {
      known.put(
          workload.name(),
          references.complete(workload, Math.max(LEAST_REFERENCE_SEEDS, options.seeds())));
    }
    Machine machine = Machine.here();
    var titles = new LinkedHashMap<String, String>();
    workloads.forEach(workload -> titles.put(workload.name(), workload.label()));
    String command = options.command();
    if (options.isReferences()) {
      System.out.print(new TuningReport(command, machine, known, titles, List.of()).text());
      return 0;
    }
    List<RunRecord> runs = runAll(workloads, known);
    known.replaceAll(
        (_, reference) -> reference.withBudget(options.budgetScale() * reference.budgetSeconds()));
    if (options.isWallClock()) {
      known.replaceAll((_, reference) -> onWallClock(reference, runs));
    }
    var report = new TuningReport(command, machine, known, titles, runs);
    System.out.print(report.text());
    if (options.out().isPresent()) {
      report.write(options.out().get());
    }
    if (options.markdown().isPresent()) {
      report.writeInto(options.markdown().get());
    }
    return runs.stream().anyMatch(run -> run.outcome().startsWith("error")) ? 1 : 0;
  }

  // Runs.

  private List<RunRecord> runAll(List<Workload> workloads, Map<String, Reference> known)
      throws IOException {
    var store = new RunStore(options.runs(), options.isResume());
    var work = new ArrayList<Supplier<RunRecord>>();
    for (Workload workload : workloads) {
      Reference reference = known.get(workload.name());
      if (reference == null) {
        continue;
      }
      for (Contender contender : contenders(workload, reference)) {
        for (int seed = 1; seed <= options.seeds(); seed++) {
          long ofRun = seed;
          Job job = job(workload, reference, contender, ofRun);
          if (!options.isReport() || store.find(job.key()).isPresent()) {
            work.add(() -> stored(store, job));
          }
        }
      }
    }
    var runs = new ArrayList<RunRecord>();
    for (Supplier<RunRecord> done : pool.inOrder("runs", work)) {
      runs.add(done.get());
    }
    return runs;
  }

  private List<Contender> contenders(Workload workload, Reference reference) {
    var names = new ArrayList<>(options.policies());
    if (names.isEmpty()) {
      names.add("default");
      PolicyName.ALL.stream().filter(name -> !name.equals(PolicyName.FIXED)).forEach(names::add);
    }
    if (options.isWallClock()) {
      // The references' times were simulated: measure them, too.
      for (String name : List.of("default", "oracle")) {
        if (!names.contains(name)) {
          names.add(name);
        }
      }
    }
    return names.stream()
        .map(name ->
            switch (name) {
              case "default" -> Contender.fixed(name, workload.carefulSetting());
              case "laps" -> Contender.laps(options.options());
              case "oracle" ->
                  Contender.fixed(name, Setting.of(reference.bestDraw().orElseThrow().setting()));
              default -> Contender.named(name, options.options());
            })
        .toList();
  }

  /// One run to be made.
  ///
  /// @param key tells it from all others
  /// @param budget the full budget in seconds
  /// @param horizon the time that it is given, >= budget
  private record Job(
      String key,
      Workload workload,
      Reference reference,
      Contender contender,
      long seed,
      double budget,
      double horizon) {}

  private Job job(Workload workload, Reference reference, Contender contender, long seed) {
    double budget = options.budgetScale() * reference.budgetSeconds();
    double reserve = contender.isRival() ? PATIENT_ORACLE_TIMES : LEAST_ORACLE_TIMES;
    double least = contender.isRival() ? WHOLE_RUNS * budget : budget;
    double horizon =
        Double.isFinite(reference.oracleSeconds())
            ? Math.max(least, reserve * reference.oracleSeconds())
            : least;
    String key =
        "%s-%s %s %s seed %d for %s s%s"
            .formatted(
                workload.name(),
                reference.fingerprint(),
                contender.name(),
                contender.fitted(workload),
                seed,
                horizon,
                options.isWallClock() ? " on the wall clock" : "");
    return new Job(key, workload, reference, contender, seed, budget, horizon);
  }

  private RunRecord stored(RunStore store, Job job) {
    return store
        .find(job.key())
        .orElseGet(() -> {
          RunRecord run = run(job);
          store.add(job.key(), run);
          return run;
        });
  }

  private RunRecord run(Job job) {
    Reference reference = job.reference();
    Predicate<SimulatedRun> isEnough =
        run ->
            run.seconds() >= job.budget()
                && job.horizon() > job.budget()
                && run.hasReached(reference.target(), reference.goal());
    try {
      return new SimulatedRun(
              job.workload(),
              job.contender(),
              reference.cost(),
              job.seed(),
              job.horizon(),
              options.isWallClock(),
              isEnough)
          .run();
    } catch (RuntimeException failure) {
      System.err.println();
      failure.printStackTrace();
      return RunRecord.failed(
          job.workload().name(),
          job.contender().name(),
          job.seed(),
          job.horizon(),
          "error: " + failure.getMessage());
    }
  }

  private static Reference onWallClock(Reference reference, List<RunRecord> runs) {
    return reference.withRepeats(
        repeats(reference, runs, "oracle"), repeats(reference, runs, "default"));
  }

  private static List<Reference.Repeat> repeats(
      Reference reference, List<RunRecord> runs, String policy) {
    return runs.stream()
        .filter(run -> run.workload().equals(reference.workload()) && run.policy().equals(policy))
        .map(run ->
            Reference.Repeat.of(
                run,
                Setting.of(
                    run.branches().isEmpty() ? Map.of() : run.branches().getFirst().setting()),
                reference.goal()))
        .toList();
  }
}
