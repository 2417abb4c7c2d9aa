package dev.espalier.runtime.check;

import static dev.espalier.runtime.check.Finding.Verdict.failed;
import static dev.espalier.runtime.check.Finding.Verdict.passed;
import static dev.espalier.runtime.check.Finding.Verdict.skipped;
import static dev.espalier.runtime.check.Finding.Verdict.warned;
import static dev.espalier.runtime.check.Trial.ROOT;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.Tunable;
import dev.espalier.runtime.check.Finding.Verdict;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

/// Whether a program does what its tunables say: one that changes nothing is searched in vain.
final class TunableChecks {
  /// Clocks over which a tunable has to show.
  private static final int PATIENCE = 4;

  private TunableChecks() {}

  static List<Check> all(int clocks) {
    return List.of(
        Check.of("trains on the samples it is given", TunableChecks::samples),
        Check.of("batchSize is the samples of a clock", TunableChecks::batchSize),
        Check.of("learningRate is how far a clock steps", TunableChecks::learningRate),
        Check.of("a rate that falls is followed", TunableChecks::fallingRate),
        Check.of("every tunable counts", subject -> others(subject, clocks)),
        Check.of("settings are judged alike", subject -> judgedAlike(subject, clocks)));
  }

  /// {@return a value of a tunable that is not `value`, far from it; `value` where there is no
  /// other}
  static double another(Tunable tunable, double value) {
    return switch (tunable) {
      case Tunable.Choice choice ->
          choice.values().stream()
              .filter(one -> one != value)
              .reduce((a, b) -> Math.abs(a - value) < Math.abs(b - value) ? a : b)
              .orElse(value);
      case Tunable.LogRange range ->
          value / 4 >= range.min() ? value / 4 : Math.min(range.max(), value * 4);
      case Tunable.LinearRange range -> range.fromUnit(range.toUnit(value) < 0.5 ? 0.75 : 0.25);
    };
  }

  private static Verdict samples(Subject subject) throws InterruptedException {
    if (subject.tunable(Tunable.BATCH_SIZE).isEmpty()) {
      return skipped("there is no tunable batchSize: a clock may be what it likes");
    }
    try (Trial trial = Trial.begin(subject, 1)) {
      if (trial.probeSamples() == 0) {
        return skipped("there are too few training samples to hold any out");
      }
      trial.run(ROOT, PATIENCE);
      List<Double> blocks = trial.probe(ROOT).getFirst();
      return blocks.size() > 1 && new HashSet<>(blocks).size() == 1
          ? failed(
              "loss is %s for each of %d blocks of other samples; compute with context.samples()",
              blocks.getFirst(), blocks.size())
          : passed("losses of %d blocks of samples differ", blocks.size());
    }
  }

  private static Verdict batchSize(Subject subject) throws InterruptedException {
    Optional<Tunable> batch = subject.tunable(Tunable.BATCH_SIZE);
    if (batch.isEmpty()) {
      return skipped("there is no tunable batchSize");
    }
    double value = subject.setting().value(Tunable.BATCH_SIZE);
    double other = another(batch.get(), value);
    Trial.Clocks usual = clock(subject);
    Trial.Clocks others = clock(subject.with(Tunable.BATCH_SIZE, other));
    for (var one : List.of(new Sized(value, usual), new Sized(other, others))) {
      if (one.clocks.samples(0) != (long) one.batch) {
        return failed(
            "with batchSize %s a clock says that it used %d samples; use all of context.samples(),"
                + " and say so in Progress",
            Tunable.plain(one.batch), one.clocks.samples(0));
      }
    }
    return value != other && usual.lossSum(0) == others.lossSum(0)
        ? failed(
            "the loss of a clock is %s with batchSize %s and with %s; compute with"
                + " context.samples()",
            usual.lossSum(0), Tunable.plain(value), Tunable.plain(other))
        : passed("clocks of %s and %s samples", Tunable.plain(value), Tunable.plain(other));
  }

  private record Sized(double batch, Trial.Clocks clocks) {}

  private static Trial.Clocks clock(Subject subject) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      return trial.run(ROOT, 1);
    }
  }

  private static Verdict learningRate(Subject subject) throws InterruptedException {
    Optional<Tunable> rate = subject.tunable(Tunable.LEARNING_RATE);
    if (rate.isEmpty()) {
      return learns(subject)
          ? warned(
              "there is no tunable learningRate, so tables step by %s and the tuner cannot search"
                  + " it",
              Tunable.DEFAULT_LEARNING_RATE)
          : skipped("there is no tunable learningRate");
    }
    double value = subject.setting().value(Tunable.LEARNING_RATE);
    double other = another(rate.get(), value);
    return after(subject, PATIENCE, Shape.CONSTANT)
            .equals(after(subject.with(Tunable.LEARNING_RATE, other), PATIENCE, Shape.CONSTANT))
        ? failed(
            "learningRate %s and %s give the same parameters after %d clocks; tables of rule add"
                + " step by context.learningRate()",
            Tunable.plain(value), Tunable.plain(other), PATIENCE)
        : passed("rates %s and %s", Tunable.plain(value), Tunable.plain(other));
  }

  private static boolean learns(Subject subject) {
    try (Trial trial = Trial.open(subject, 1)) {
      return trial.shape().tables().stream().anyMatch(table -> !table.rule().equals("add"));
    }
  }

  /// A clock at half the rate is that of a setting with half the rate.
  private static Verdict fallingRate(Subject subject) throws InterruptedException {
    if (subject.tunable(Tunable.LEARNING_RATE).isEmpty()) {
      return skipped("there is no tunable learningRate");
    }
    double value = subject.setting().value(Tunable.LEARNING_RATE);
    Shape halved = Shape.linearToZero(-1, 1);
    Subject half = subject.with(Tunable.LEARNING_RATE, halved.factor(0) * value);
    return after(subject, 1, halved).equals(after(half, 1, Shape.CONSTANT))
        ? passed("a clock at half the rate is that of half the learningRate")
        : failed(
            "a clock whose rate was let fall to the half is not that of half the learningRate; step"
                + " by context.learningRate() in place of the setting's value");
  }

  private static Object after(Subject subject, int clocks, Shape shape)
      throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks, shape);
      return trial.parameters(ROOT).hash();
    }
  }

  private static Verdict others(Subject subject, int clocks) throws InterruptedException {
    List<Tunable> tunables =
        subject.descriptor().tunables().stream()
            .filter(tunable -> !isLookedAtElsewhere(tunable.name()))
            .filter(tunable -> hasAnother(tunable, subject))
            .toList();
    if (tunables.isEmpty()) {
      return skipped("there are no tunables beside the usual ones that have another value");
    }
    var idle = new ArrayList<String>();
    Sighting usual = sighting(subject, clocks);
    for (Tunable tunable : tunables) {
      String name = tunable.name();
      double other = another(tunable, subject.setting().value(name));
      if (usual.difference(sighting(subject.with(name, other), clocks)).isEmpty()) {
        idle.add(name);
      }
    }
    if (idle.isEmpty()) {
      return passed(String.join(", ", tunables.stream().map(Tunable::name).toList()));
    }
    String advice =
        idle.contains(Tunable.MOMENTUM) ? "; no table's rule may have a momentum to set" : "";
    return warned(
        "%d clocks with another value of %s are the same, bit for bit; read it with"
            + " context.setting().value(...), or do not offer it%s",
        2 * clocks, String.join(", ", idle), advice);
  }

  /// Branches that differ in a tunable are compared by what evaluate and loss say of them.
  private static Verdict judgedAlike(Subject subject, int clocks) throws InterruptedException {
    List<Tunable> tunables = subject.descriptor().tunables();
    if (tunables.isEmpty()) {
      return skipped("there are no tunables");
    }
    var felt = new ArrayList<String>();
    try (Trial trial = Trial.begin(subject, 1)) {
      trial.run(ROOT, clocks);
      for (Tunable tunable : tunables) {
        String name = tunable.name();
        var fork = new BranchId(ROOT.number() + 1 + tunables.indexOf(tunable));
        double other = another(tunable, subject.setting().value(name));
        trial.fork(fork, ROOT, subject.setting().with(name, other));
        measureOfEither(trial, fork).ifPresent(call -> felt.add(name + " by " + call));
      }
    }
    return felt.isEmpty()
        ? passed("evaluate and loss of the same parameters do not depend on the setting")
        : warned(
            "the same parameters are judged otherwise with another value of %s; branches that"
                + " differ in it are compared by that, so measure alike (no dropout, as many"
                + " draws), unless it is part of the model",
            String.join(", ", felt));
  }

  private static Optional<String> measureOfEither(Trial trial, BranchId fork)
      throws InterruptedException {
    if (!trial
        .evaluate(ROOT)
        .getFirst()
        .metrics()
        .equals(trial.evaluate(fork).getFirst().metrics())) {
      return Optional.of("evaluate");
    }
    return trial.probeSamples() == 0 || trial.probe(ROOT).equals(trial.probe(fork))
        ? Optional.empty()
        : Optional.of("loss");
  }

  private static boolean hasAnother(Tunable tunable, Subject subject) {
    double value = subject.setting().value(tunable.name());
    return another(tunable, value) != value;
  }

  private static boolean isLookedAtElsewhere(String tunable) {
    return List.of(Tunable.LEARNING_RATE, Tunable.BATCH_SIZE, Tunable.STALENESS).contains(tunable);
  }

  private static Sighting sighting(Subject subject, int clocks) throws InterruptedException {
    try (Trial trial = Trial.begin(subject, 1)) {
      return Sighting.of(trial, ROOT, 2 * clocks);
    }
  }
}
