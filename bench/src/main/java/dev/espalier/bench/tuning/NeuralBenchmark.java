package dev.espalier.bench.tuning;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.bench.frame.Machine;
import dev.espalier.cli.client.Json;
import dev.espalier.ps.shard.DeviceUse;
import dev.espalier.ps.shard.ShardStats;
import dev.espalier.runtime.ProgramCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// `espalier bench neural`: how fast the engines train a network on the parameter server, and a
/// whole job under the tuner on one of them, and where their tables lie. Time is the wall clock's.
public final class NeuralBenchmark {
  private static final String USAGE =
      """
      Usage: espalier bench neural [OPTION]...

      Trains a network: one epoch with each engine, then a job under the tuner.

        --program P       cnn, on images, or lstm, on text (cnn)
        --engines A,B     engines to compare: java, torch, cuda (java)
        --job ENGINE      engine of the job under the tuner (the last of --engines)
        --data DIR        folder with fashion-mnist or cifar10-10k or both, for lstm with
                          tinyshakespeare; without it data are generated
        --channels A,B    cnn: channels of the convolutions (32,64)
        --hidden A        cnn: hidden dense layers (128)
        --units A         lstm: units of its layers (128)
        --length N        lstm: characters of a sequence, which is one sample (64)
        --batch N         batch of the comparison (256; for lstm 64)
        --epochs N        epochs of the comparison (1)
        --seconds N       time of each job (60)
        --policy P        policy of the job, POLICY or POLICY:SEARCHER (mltuner)
        --out FILE        also writes the figures as JSON, as soon as each is known

      Fails when a job does, and when tables lie on the host although the system property
      espalier.gpu.bytes asks for a GPU.
      """;
  private static final Map<String, Subject> SUBJECTS =
      Map.of(
          "cnn",
          new Subject(
              "images",
              List.of("fashion-mnist", "cifar10-10k"),
              Map.of("channels", "32,64", "hidden", "128"),
              "256",
              0.02),
          "lstm",
          new Subject(
              "text",
              List.of("tinyshakespeare"),
              Map.of("units", "128", "length", "64"),
              "64",
              0.003));
  private static final String GPU_BYTES = "espalier.gpu.bytes";
  private static final double FOR_EVER = 1e6;
  private static final CostModel UNUSED = new CostModel(1, 1, 0, 1, 1, 0);

  /// A program that is measured.
  ///
  /// @param kind of data
  /// @param sets folders of data that suit it
  /// @param arguments that may be chosen, with their defaults
  /// @param batch of the comparison
  /// @param learningRate of the comparison
  private record Subject(
      String kind,
      List<String> sets,
      Map<String, String> arguments,
      String batch,
      double learningRate) {}

  private final Map<String, String> options;
  private final String program;
  private final Subject subject;
  private final List<Map<String, Object>> figures = new ArrayList<>();
  private boolean hasFailed;

  private NeuralBenchmark(Map<String, String> options) {
    this.options = options;
    program = option("--program");
    Subject known = SUBJECTS.get(program);
    if (known == null) {
      throw new IllegalArgumentException("--program must be cnn or lstm but is " + program);
    }
    subject = known;
    for (Subject other : SUBJECTS.values()) {
      for (String argument : other.arguments().keySet()) {
        if (options.containsKey("--" + argument) && !known.arguments().containsKey(argument)) {
          throw new IllegalArgumentException("--" + argument + " is no option of " + program);
        }
      }
    }
  }

  /// Runs a command line.
  ///
  /// @param arguments without the word `neural`
  /// @return exit status: 0 when all ran, 1 when something failed, 2 for wrong arguments
  public static int run(List<String> arguments) {
    if (arguments.contains("--help") || arguments.contains("-h")) {
      System.out.print(USAGE);
      return 0;
    }
    var options =
        new LinkedHashMap<>(
            Map.of(
                "--program", "cnn",
                "--engines", "java",
                "--epochs", "1",
                "--seconds", "60",
                "--policy", "mltuner"));
    for (Iterator<String> rest = arguments.iterator(); rest.hasNext(); ) {
      String option = rest.next();
      if (!USAGE.contains("  " + option + " ") || !rest.hasNext()) {
        System.err.println(
            "espalier bench neural: " + option + " is no option or lacks its value; see --help");
        return 2;
      }
      options.put(option, rest.next());
    }
    try {
      var benchmark = new NeuralBenchmark(options);
      benchmark.run();
      return benchmark.hasFailed ? 1 : 0;
    } catch (IOException | IllegalArgumentException | EspalierException e) {
      System.err.println("espalier bench neural: " + e.getMessage());
      return 1;
    }
  }

  private String option(String name) {
    return options.getOrDefault(name, "");
  }

  private void run() throws IOException {
    say("%s", Machine.here());
    List<String> engines = List.of(option("--engines").split(","));
    for (Optional<Path> data : data()) {
      for (String engine : engines) {
        epoch(data, engine);
      }
    }
    String engine = options.getOrDefault("--job", engines.getLast());
    for (Optional<Path> data : data()) {
      job(data, engine);
    }
  }

  private List<Optional<Path>> data() {
    if (!options.containsKey("--data")) {
      return List.of(Optional.empty());
    }
    Path root = Path.of(option("--data"));
    List<Optional<Path>> found =
        subject.sets().stream()
            .map(root::resolve)
            .filter(Files::isDirectory)
            .map(Optional::of)
            .toList();
    if (found.isEmpty()) {
      throw new IllegalArgumentException(root + " has none of the folders " + subject.sets());
    }
    return found;
  }

  private String title(Optional<Path> data) {
    return data.map(folder -> String.valueOf(folder.getFileName()))
        .orElse("generated " + subject.kind());
  }

  private Workload workload(Optional<Path> data, String engine) {
    Map<String, String> arguments = new LinkedHashMap<>(Map.of("engine", engine));
    subject
        .arguments()
        .forEach((name, usual) -> arguments.put(name, options.getOrDefault("--" + name, usual)));
    return new Workload(
        title(data),
        title(data),
        program,
        title(data),
        data,
        arguments,
        0,
        1,
        List.of(),
        1,
        Setting.EMPTY,
        "to measure");
  }

  /// Trains some epochs with a fixed setting.
  private void epoch(Optional<Path> data, String engine) throws IOException {
    Workload workload = workload(data, engine);
    int epochs = Integer.parseInt(option("--epochs"));
    String batch = options.getOrDefault("--batch", subject.batch());
    Setting setting =
        Setting.of(
            Map.of(
                Tunable.LEARNING_RATE,
                subject.learningRate(),
                Tunable.MOMENTUM,
                0.9,
                Tunable.BATCH_SIZE,
                Double.valueOf(batch)));
    var contender =
        new Contender(
            "fixed",
            "fixed",
            Optional.empty(),
            Optional.of(setting),
            Map.of("stop.maxEpochs", epochs));
    var run = new SimulatedRun(workload, contender, UNUSED, 1, FOR_EVER, true, _ -> false);
    RunRecord record = run.run();
    double samples = (double) epochs * samples(workload);
    note(
        "%s, engine %s: %.0f samples/s over %d epochs of batch %s, %s %.4f",
        title(data),
        engine,
        samples / record.trainingSeconds(),
        epochs,
        batch,
        workload.metric().name(),
        record.best(workload.metric().goal()));
    judge(run, record);
  }

  /// Says where the tables of a run lay, and whether that, or the run, is a failure.
  private void judge(SimulatedRun run, RunRecord record) throws IOException {
    for (ShardStats shard : run.shards()) {
      note("  tables on %s", shard.device().map(NeuralBenchmark::told).orElse("the host"));
      if (shard.device().isEmpty() && Long.getLong(GPU_BYTES, 0) > 0) {
        fail(GPU_BYTES + " asks for a GPU, but the tables lie on the host");
      }
    }
    if (record.outcome().startsWith("failed")) {
      fail(record.outcome());
    }
  }

  private static String told(DeviceUse use) {
    return String.format(
        Locale.ROOT,
        "%s, %d MiB of it: %.3f GB moved in, %.3f GB out",
        use.device(),
        use.budgetBytes() >> 20,
        use.bytesIn() / 1e9,
        use.bytesOut() / 1e9);
  }

  private void fail(String message) throws IOException {
    hasFailed = true;
    note("  FAILED: %s", message);
  }

  private static int samples(Workload workload) {
    try (var program = ProgramCatalog.named(workload.program())) {
      return program.open(workload.environment(0, 1)).trainingSamples();
    }
  }

  /// Runs a job under the tuner.
  private void job(Optional<Path> data, String engine) throws IOException {
    Workload workload = workload(data, engine);
    double seconds = Double.parseDouble(option("--seconds"));
    Contender contender = Contender.named(option("--policy"), Map.of("stop.maxEpochs", 1000));
    var run = new SimulatedRun(workload, contender, UNUSED, 1, seconds, true, _ -> false);
    RunRecord record = run.run();
    note(
        "%s, engine %s, policy %s: %s %.4f in %.1f s, %d branches, %.0f %% of the time for"
            + " tuning, %s",
        title(data),
        engine,
        contender.name(),
        workload.metric().name(),
        record.best(workload.metric().goal()),
        record.endSeconds(),
        record.forks(),
        100 * record.tuningShare(),
        record.outcome());
    judge(run, record);
    for (RunRecord.BranchLife branch : record.branches()) {
      if (branch.kind().equals("mainline")
          || branch.toSeconds() - branch.fromSeconds() > seconds / 4) {
        say(
            "  branch %d (%s) from %.1f s: %s",
            branch.branch(), branch.kind(), branch.fromSeconds(), branch.setting());
      }
    }
  }

  private static void say(String format, Object... values) {
    System.out.printf(Locale.ROOT, format + "%n", values);
  }

  private void note(String format, Object... values) throws IOException {
    String line = String.format(Locale.ROOT, format, values);
    System.out.println(line);
    figures.add(Map.of("figure", line.strip()));
    if (options.containsKey("--out")) {
      Files.writeString(Path.of(option("--out")), Json.write(Json.tree(figures)));
    }
  }
}
