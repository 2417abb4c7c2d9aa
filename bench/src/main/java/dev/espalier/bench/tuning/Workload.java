package dev.espalier.bench.tuning;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.TunableReader;
import dev.espalier.runtime.ProgramCatalog;
import dev.espalier.runtime.branch.BranchExecutor;
import dev.espalier.runtime.branch.LocalCrew;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.sdk.ProgramEnvironment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// One learning problem that policies are compared on: a program, its data, and how long it may
/// take.
///
/// @param name what `--workload` names
/// @param title for tables and pictures
/// @param program name of the training program
/// @param folder the data set's folder below the data root; ignored where a folder is given
/// @param data where the data lie; empty for generated data
/// @param arguments of the program, in text form
/// @param trainingSamples how many of the training samples are used, from the first on; 0 for all
/// @param workers that train together
/// @param staleness what may be chosen beside the program's own tunables, the first by default;
///   empty where it is not to be chosen
/// @param budgetEpochs the full budget: the time that so many epochs take with the default setting
/// @param careful what a careful user would train with, written down before any result was known;
///   tunables that it leaves out have the program's default
/// @param reason why a careful user would take it
record Workload(
    String name,
    String title,
    String program,
    String folder,
    Optional<Path> data,
    Map<String, String> arguments,
    int trainingSamples,
    int workers,
    List<Double> staleness,
    double budgetEpochs,
    Setting careful,
    String reason) {
  private static final long MEMORY_BYTES = 1L << 30;

  Workload {
    arguments = Map.copyOf(arguments);
    staleness = List.copyOf(staleness);
    if (trainingSamples < 0) {
      throw new IllegalArgumentException(
          name + ": trainingSamples must be >= 0 but is " + trainingSamples);
    }
    if (workers < 1) {
      throw new IllegalArgumentException(name + ": workers must be >= 1 but is " + workers);
    }
    if (!(budgetEpochs > 0)) {
      throw new IllegalArgumentException(
          name + ": budgetEpochs must be > 0 but is " + budgetEpochs);
    }
  }

  Workload withData(Optional<Path> found) {
    return new Workload(
        name,
        title,
        program,
        folder,
        found,
        arguments,
        trainingSamples,
        workers,
        staleness,
        budgetEpochs,
        careful,
        reason);
  }

  Workload withWorkers(int count) {
    return new Workload(
        name,
        title,
        program,
        folder,
        data,
        arguments,
        trainingSamples,
        count,
        staleness,
        budgetEpochs,
        careful,
        reason);
  }

  /// {@return the title, with a remark where the data are generated}
  String label() {
    return data.isPresent() ? title : title + " (generated data)";
  }

  ProgramDescriptor descriptor() {
    try (var opened = ProgramCatalog.named(program)) {
      return opened.describe();
    }
  }

  /// {@return the metric that judges the model}
  MetricSpec metric() {
    return descriptor().validation().getFirst();
  }

  SearchSpace space() {
    var tunables = new ArrayList<Tunable>(descriptor().tunables());
    if (!staleness.isEmpty()) {
      tunables.add(new Tunable.Choice(Tunable.STALENESS, staleness, staleness.getFirst()));
    }
    return new SearchSpace(tunables);
  }

  /// {@return the tunables of a job file with these defaults; empty where the program has the same}
  Optional<Map<String, Object>> tunablesToTell(Setting told) {
    if (told.equals(new SearchSpace(descriptor().tunables()).defaults())) {
      return Optional.empty();
    }
    var tunables = new LinkedHashMap<String, Object>();
    space()
        .tunables()
        .forEach(tunable ->
            tunables.put(
                tunable.name(),
                TunableReader.toDocument(
                    tunable.withDefault(told.valueOr(tunable.name(), tunable.defaultValue())))));
    return Optional.of(tunables);
  }

  /// {@return the careful user's setting with every tunable in it}
  ///
  /// @throws EspalierException `INVALID_JOB` when it lies outside the program's space
  Setting carefulSetting() {
    Setting setting = space().defaults().with(careful);
    var problems = space().problemsOf(setting);
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB, "workload " + name + " has an impossible setting", problems);
    }
    return setting;
  }

  ProgramEnvironment environment(int worker, long seed) {
    return BranchExecutor.environment(assignment(seed, HeldOut.NOTHING, Path.of("")).of(worker));
  }

  /// {@return all workers, in this process}
  ///
  /// @param heldOut training samples that branches are judged by
  /// @param checkpoints an empty folder
  LocalCrew crew(long seed, HeldOut heldOut, Path checkpoints) {
    return new LocalCrew(
        () -> ProgramCatalog.named(program),
        shape ->
            trainingSamples == 0 || trainingSamples >= shape.trainingSamples()
                ? shape
                : shape.withTrainingSamples(trainingSamples),
        assignment(seed, heldOut, checkpoints),
        MEMORY_BYTES);
  }

  private Assignment assignment(long seed, HeldOut heldOut, Path checkpoints) {
    return LocalCrew.assignment(descriptor(), arguments, data, workers, seed, heldOut, checkpoints);
  }
}
