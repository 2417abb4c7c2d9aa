package dev.espalier.bench.tuning;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.bench.frame.Machine;
import dev.espalier.bench.frame.ScratchFolder;
import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Supplier;

/// Keeps references in a folder, one file for each workload and data set, and computes what is
/// missing.
///
/// Whatever was computed is written at once, so a computation that was cut off goes on where it
/// was.
final class References {
  static final int DRAWS = 48;
  private static final long DRAW_SEED = 48;
  private static final int FINGERPRINT_CHARACTERS = 8;

  private final Path folder;
  private final Pool pool;

  /// @param pool runs the work
  References(Path folder, Pool pool) {
    this.folder = folder;
    this.pool = pool;
  }

  /// {@return the reference of a workload with its cost; measured now if it never was}
  Reference calibrated(Workload workload) throws IOException {
    Path file = file(workload);
    if (Files.exists(file)) {
      return Json.as(Json.parse(Files.readString(file)), Reference.class);
    }
    return calibrate(workload);
  }

  /// Measures the cost anew; what was known under the old cost is forgotten.
  Reference calibrate(Workload workload) throws IOException {
    CostModel cost;
    double epochSeconds;
    try {
      cost = Calibration.measure(workload);
      epochSeconds = epochSeconds(workload, cost);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while " + workload.name() + " was calibrated", e);
    }
    var reference =
        new Reference(
            workload.name(),
            dataName(workload),
            fingerprint(workload),
            Machine.here().processor(),
            cost,
            epochSeconds,
            epochSeconds * workload.budgetEpochs(),
            workload.metric().goal(),
            workload.metric().name(),
            Double.NaN,
            DRAW_SEED,
            List.of(),
            List.of(),
            List.of());
    write(workload, reference);
    return reference;
  }

  private static double epochSeconds(Workload workload, CostModel cost)
      throws InterruptedException {
    Setting setting = workload.carefulSetting();
    try (var scratch = new ScratchFolder();
        var crew = workload.crew(1, HeldOut.NOTHING, scratch.path())) {
      var root = new BranchId(0);
      crew.execute(new BranchCommand.Create(root, setting), 1);
      long evaluated =
          crew.execute(new BranchCommand.Evaluate(root, 1), 1).stream()
              .flatMap(List::stream)
              .filter(WorkerReport.Evaluated.class::isInstance)
              .mapToLong(report -> ((WorkerReport.Evaluated) report).samples())
              .max()
              .orElse(0);
      long batch = (long) setting.valueOr(Tunable.BATCH_SIZE, crew.defaultBatchSize());
      long clocks = Math.max(1, Math.ceilDiv(crew.trainingSamples(), batch * workload.workers()));
      int staleness = (int) setting.valueOr(Tunable.STALENESS, 0);
      return clocks * cost.clockSeconds(batch, staleness) + cost.evaluationSeconds(evaluated);
    }
  }

  /// {@return the whole reference; what is missing is computed}
  Reference complete(Workload workload, int seeds) throws IOException {
    Reference reference = draw(workload, calibrated(workload));
    if (reference.bestDraw().isEmpty()) {
      throw new IllegalStateException(
          workload.name() + ": none of " + DRAWS + " random settings learned anything");
    }
    return repeat(workload, reference, seeds);
  }

  // Random settings.

  private Reference draw(Workload workload, Reference known) throws IOException {
    Reference reference = known;
    List<Setting> settings = settings(workload.space());
    var work = new ArrayList<Supplier<Reference.Draw>>();
    for (int number = reference.draws().size(); number < DRAWS; number++) {
      int ofDraw = number;
      work.add(() -> draw(workload, known, ofDraw, settings.get(ofDraw)));
    }
    var draws = new ArrayList<>(reference.draws());
    for (var done : pool.inOrder(workload.name() + " oracle", work)) {
      draws.add(done.get());
      double start = Quantiles.median(draws.stream().map(Reference.Draw::start).toList());
      reference = reference.withDraws(start, draws);
      write(workload, reference);
    }
    return reference;
  }

  private static List<Setting> settings(SearchSpace space) {
    var random = new SplittableRandom(DRAW_SEED);
    var settings = new ArrayList<Setting>();
    for (int number = 0; number < DRAWS; number++) {
      double[] unit = new double[space.dimensions()];
      for (int i = 0; i < unit.length; i++) {
        unit[i] = random.nextDouble();
      }
      settings.add(space.fromUnit(unit));
    }
    return settings;
  }

  private static Reference.Draw draw(
      Workload workload, Reference known, int number, Setting setting) {
    long seed = 1;
    var run =
        new SimulatedRun(
            workload,
            Contender.fixed("draw-" + number, setting),
            known.cost(),
            seed,
            known.budgetSeconds(),
            false,
            _ -> false);
    RunRecord record = run.run();
    return new Reference.Draw(
        number,
        seed,
        Map.copyOf(setting.values()),
        run.startQuality(),
        record.best(known.goal()),
        record.outcome());
  }

  // The references with the benchmark's seeds.

  private Reference repeat(Workload workload, Reference known, int seeds) throws IOException {
    Reference.Draw best = known.bestDraw().orElseThrow();
    Setting oracle = Setting.of(best.setting());
    Reference reference = known;
    reference =
        reference.withRepeats(
            repeats(workload, reference, "oracle", oracle, reference.oracle(), seeds),
            reference.careful());
    write(workload, reference);
    reference =
        reference.withRepeats(
            reference.oracle(),
            repeats(
                workload,
                reference,
                "default",
                workload.carefulSetting(),
                reference.careful(),
                seeds));
    write(workload, reference);
    return reference;
  }

  private List<Reference.Repeat> repeats(
      Workload workload,
      Reference reference,
      String name,
      Setting setting,
      List<Reference.Repeat> known,
      int seeds) {
    var repeats = new ArrayList<>(known);
    var work = new ArrayList<Supplier<Reference.Repeat>>();
    for (int seed = known.size() + 1; seed <= seeds; seed++) {
      long ofRun = seed;
      work.add(() -> {
        RunRecord run =
            new SimulatedRun(
                    workload,
                    Contender.fixed(name, setting),
                    reference.cost(),
                    ofRun,
                    reference.budgetSeconds(),
                    false,
                    _ -> false)
                .run();
        return Reference.Repeat.of(run, setting, reference.goal());
      });
    }
    for (var done : pool.inOrder(workload.name() + " " + name, work)) {
      repeats.add(done.get());
    }
    return repeats;
  }

  // Files.

  private Path file(Workload workload) {
    return folder.resolve(workload.name() + "-" + fingerprint(workload) + ".json");
  }

  private void write(Workload workload, Reference reference) throws IOException {
    Files.createDirectories(folder);
    write(file(workload), Json.write(Json.tree(reference)) + "\n");
  }

  /// Writes a file at once, also where others write it at the same time: the last one stays.
  static void write(Path file, String text) throws IOException {
    Path aside = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      Files.writeString(aside, text);
      Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(aside);
    }
  }

  private static String dataName(Workload workload) {
    return workload.data().map(Path::getFileName).map(Path::toString).orElse("generated");
  }

  /// {@return a short hash of the program, its arguments, what is chosen, the budget and the data's
  /// file sizes}
  static String fingerprint(Workload workload) {
    var text = new StringBuilder();
    text.append(workload.program())
        .append(new TreeMap<>(workload.arguments()))
        .append(workload.trainingSamples())
        .append('/')
        .append(workload.workers())
        .append('/')
        .append(workload.budgetEpochs())
        .append(workload.carefulSetting());
    if (!workload.staleness().isEmpty()) {
      text.append(workload.staleness());
    }
    workload.data().ifPresent(folder -> files(folder).forEach(text::append));
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(text.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash).substring(0, FINGERPRINT_CHARACTERS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<String> files(Path folder) {
    try (var files = Files.list(folder)) {
      var names = new ArrayList<String>();
      for (Path file :
          files.filter(Files::isRegularFile).sorted(Comparator.naturalOrder()).toList()) {
        names.add(file.getFileName() + ":" + Files.size(file) + ";");
      }
      return names;
    } catch (IOException e) {
      throw new IllegalArgumentException(folder + " cannot be read: " + e.getMessage(), e);
    }
  }
}
