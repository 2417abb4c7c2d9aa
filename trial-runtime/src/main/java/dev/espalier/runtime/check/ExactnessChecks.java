package dev.espalier.runtime.check;

import static dev.espalier.runtime.check.Finding.Verdict.failed;
import static dev.espalier.runtime.check.Finding.Verdict.passed;
import static dev.espalier.runtime.check.Finding.Verdict.warned;
import static dev.espalier.runtime.check.Trial.ROOT;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.check.Finding.Verdict;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Whether runs that should be the same are so, bit for bit: the tuner compares branches that were
/// forked, freed and restored, and takes a difference between them for that of their settings.
final class ExactnessChecks {
  private static final BranchId FORK = new BranchId(1);

  private ExactnessChecks() {}

  static List<Check> all(int clocks) {
    return List.of(
        Check.of("the same seed is the same run", subject -> sameSeed(subject, clocks)),
        Check.of("another seed is another run", subject -> otherSeed(subject, clocks)),
        Check.of("a fork goes on as its parent does", subject -> fork(subject, clocks)),
        Check.of("branches leave each other alone", subject -> siblings(subject, clocks)),
        Check.of("measuring changes nothing", subject -> measuring(subject, clocks)),
        Check.of("a restart goes on exactly", subject -> restart(subject, clocks)),
        Check.of("opens again after it was closed", subject -> reopened(subject, clocks)));
  }

  private static Verdict sameSeed(Subject subject, int clocks) throws InterruptedException {
    Optional<String> difference = whole(subject, clocks).difference(whole(subject, clocks));
    if (difference.isEmpty()) {
      return passed("%d clocks twice with seed %d", clocks, subject.seed());
    }
    String why =
        "; draw from context.random(), or from a generator that is made of the seed in open";
    return failed(
        "two runs with one seed differ: %s%s%s", difference.get(), why, suspects(subject, clocks));
  }

  private static Verdict otherSeed(Subject subject, int clocks) throws InterruptedException {
    return whole(subject, clocks)
            .difference(whole(subject.withSeed(subject.seed() + 1), clocks))
            .isPresent()
        ? passed("seeds %d and %d", subject.seed(), subject.seed() + 1)
        : warned(
            "seeds %d and %d give the same run, so repeating a job with other seeds tells nothing",
            subject.seed(), subject.seed() + 1);
  }

  private static Sighting whole(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      return Sighting.of(trial, ROOT, clocks);
    }
  }

  private static Verdict fork(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks);
      trial.fork(FORK, ROOT, subject.setting());
      Sighting parent = Sighting.of(trial, ROOT, clocks);
      Optional<String> difference = parent.difference(Sighting.of(trial, FORK, clocks));
      return difference.isEmpty()
          ? passed("%d clocks after clock %d", clocks, clocks)
          : failed(
              "a fork that runs after its parent differs from it: %s; keep what training changes in"
                  + " tables%s",
              difference.get(), suspects(subject, clocks));
    }
  }

  private static Verdict siblings(Subject subject, int clocks) throws InterruptedException {
    Sighting alone;
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks);
      alone = Sighting.of(trial, ROOT, clocks);
    }
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks);
      trial.fork(FORK, ROOT, otherSetting(subject));
      trial.run(FORK, clocks);
      trial.evaluate(FORK);
      Optional<String> difference = alone.difference(Sighting.of(trial, ROOT, clocks));
      return difference.isEmpty()
          ? passed("a sibling with another setting that trains in between is not felt")
          : failed(
              "a branch goes on otherwise when a sibling has trained in between: %s; keep what"
                  + " training changes in tables, and nothing that depends on the setting in"
                  + " fields%s",
              difference.get(), suspects(subject, clocks));
    }
  }

  private static Setting otherSetting(Subject subject) {
    Setting setting = subject.setting();
    for (Tunable tunable : subject.descriptor().tunables()) {
      setting =
          setting.with(
              tunable.name(), TunableChecks.another(tunable, setting.value(tunable.name())));
    }
    return setting;
  }

  private static Verdict measuring(Subject subject, int clocks) throws InterruptedException {
    Sighting unmeasured = whole(subject, clocks);
    try (Trial trial = Trial.begin(subject, 1)) {
      var lossSums = new ArrayList<Double>();
      var samples = new ArrayList<Long>();
      for (int clock = 0; clock < clocks - 1; clock++) {
        Trial.Clocks one = trial.run(ROOT, 1);
        lossSums.addAll(one.lossSums().getFirst());
        samples.addAll(one.samples().getFirst());
        Optional<String> unsteady = unsteady(trial);
        if (unsteady.isPresent()) {
          return failed(unsteady.get());
        }
      }
      Sighting end = Sighting.of(trial, ROOT, 1);
      lossSums.addAll(end.clocks().lossSums().getFirst());
      samples.addAll(end.clocks().samples().getFirst());
      var measured =
          new Sighting(
              new Trial.Clocks(List.of(lossSums), List.of(samples)),
              end.metrics(),
              end.parameters());
      Optional<String> difference = unmeasured.difference(measured);
      return difference.isEmpty()
          ? passed("evaluate and loss after each of %d clocks", clocks)
          : failed(
              "training goes on otherwise when evaluate and loss are called in between: %s; they"
                  + " may leave no trace in fields, and loss is clock where it is not overridden",
              difference.get());
    }
  }

  private static Optional<String> unsteady(Trial trial) throws InterruptedException {
    List<WorkerReport.Evaluated> once = trial.evaluate(ROOT);
    List<WorkerReport.Evaluated> again = trial.evaluate(ROOT);
    if (!once.getFirst().metrics().equals(again.getFirst().metrics())) {
      return Optional.of(
          "evaluate gives %s and then %s with the same parameters; measure the same samples each"
                  .formatted(once.getFirst().metrics(), again.getFirst().metrics())
              + " time, and draw from context.random()");
    }
    return trial.probeSamples() == 0 || trial.probe(ROOT).equals(trial.probe(ROOT))
        ? Optional.empty()
        : Optional.of(
            "loss differs from call to call with the same parameters and samples; draw from"
                + " context.random()");
  }

  private static Verdict restart(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks);
      trial.checkpoint(ROOT, 1);
      Sighting before = Sighting.of(trial, ROOT, clocks);
      trial.startAnew(subject);
      trial.restore(ROOT, 1, subject.setting());
      Optional<String> difference = before.difference(Sighting.of(trial, ROOT, clocks));
      return difference.isEmpty()
          ? passed("%d clocks after a checkpoint", clocks)
          : failed(
              "a new worker that begins with a checkpoint goes on otherwise: %s; a checkpoint holds"
                  + " the tables, and fields start anew%s",
              difference.get(), suspects(subject, clocks));
    }
  }

  /// Where a program came to its job by itself, one object lives on from generation to generation.
  private static Verdict reopened(Subject subject, int clocks) throws InterruptedException {
    TrainingProgram program = subject.makes().get();
    Subject ofOne = subject.madeBy(() -> program);
    try (Trial trial = Trial.begin(ofOne, 1)) {
      int samples = trial.shape().trainingSamples();
      Sighting first = Sighting.of(trial, ROOT, clocks);
      trial.startAnew(ofOne);
      if (trial.shape().trainingSamples() != samples) {
        return failed(
            "open after close, on the same object, says %d training samples and said %d before;"
                + " let open begin with empty fields",
            trial.shape().trainingSamples(), samples);
      }
      trial.create(subject.setting());
      Optional<String> difference = first.difference(Sighting.of(trial, ROOT, clocks));
      return difference.isEmpty()
          ? passed("one object, opened twice, trains the same")
          : failed(
              "an object that was closed and opened again trains otherwise: %s; let open set every"
                  + " field anew%s",
              difference.get(), suspects(subject, clocks));
    }
  }

  /// {@return the fields that changed while it trained, in words; empty when none can be seen}
  private static String suspects(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, 1);
      FieldWatch before = FieldWatch.of(trial.programs().getFirst());
      trial.run(ROOT, clocks);
      List<String> changed = FieldWatch.of(trial.programs().getFirst()).changedSince(before);
      return changed.isEmpty()
          ? ""
          : " (fields that clock changes: " + String.join(", ", changed) + ")";
    }
  }
}
