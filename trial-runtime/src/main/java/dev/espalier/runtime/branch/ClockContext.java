package dev.espalier.runtime.branch;

import dev.espalier.api.model.Setting;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import java.util.Arrays;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jspecify.annotations.Nullable;

/// What a program sees of the clock it runs; one object, moved from clock to clock.
final class ClockContext implements ProgramContext {
  private static final RandomGeneratorFactory<RandomGenerator> STREAMS =
      RandomGeneratorFactory.of("L64X128MixRandom");

  private final Assignment assignment;
  private final PsBackend parameters;
  private Setting setting = Setting.EMPTY;
  private int[] samples = new int[0];
  private int[] nextSamples = new int[0];
  private double learningRate;
  private long clock;
  private long stream;
  private @Nullable Part part;
  private @Nullable RandomGenerator random;

  ClockContext(Assignment assignment, PsBackend parameters) {
    this.assignment = assignment;
    this.parameters = parameters;
  }

  /// A part of the validation samples.
  ///
  /// @param of how many there are
  private record Part(int[] numbers, int of) {}

  ClockContext at(Setting newSetting, int[] newSamples, long lineageClock) {
    setting = newSetting;
    samples = newSamples;
    nextSamples = new int[0];
    learningRate = 0;
    clock = lineageClock;
    stream = lineageClock;
    random = null;
    part = null;
    return this;
  }

  /// Gives `evaluate` a part of the validation samples in place of this worker's share.
  ///
  /// @param of how many there are; other numbers, such as those of a test set, judge nothing
  ClockContext ofPart(int[] numbers, int of) {
    part = new Part(numbers, of);
    return this;
  }

  /// Takes another random stream than the clock's: the same for all branches that are compared.
  ClockContext withStream(long number) {
    stream = number;
    random = null;
    return this;
  }

  /// Tells the program how far it should step.
  ClockContext withLearningRate(double rate) {
    learningRate = rate;
    return this;
  }

  /// Tells the program what the clock after this one will train on.
  ClockContext before(int[] samplesOfNext) {
    nextSamples = samplesOfNext;
    return this;
  }

  @Override
  public Setting setting() {
    return setting;
  }

  @Override
  public double learningRate() {
    return learningRate;
  }

  @Override
  public int worker() {
    return assignment.worker();
  }

  @Override
  public int workers() {
    return assignment.workers();
  }

  @Override
  public int[] share(int from, int to) {
    Part given = part;
    if (given == null) {
      return ProgramContext.super.share(from, to);
    }
    return to - from == given.of()
        ? Arrays.stream(given.numbers()).map(number -> from + number).toArray()
        : new int[0];
  }

  @Override
  public boolean isPart() {
    return part != null;
  }

  @Override
  public ParameterTable table(String name) {
    return parameters.table(name);
  }

  @Override
  public int[] samples() {
    return samples;
  }

  @Override
  public int[] nextSamples() {
    return nextSamples;
  }

  @Override
  public long clock() {
    return clock;
  }

  @Override
  public RandomGenerator random() {
    RandomGenerator known = random;
    if (known == null) {
      known = newStream();
      random = known;
    }
    return known;
  }

  private RandomGenerator newStream() {
    long mixed = assignment.seed();
    mixed = 0x9E3779B97F4A7C15L * (mixed ^ (mixed >>> 31)) + assignment.worker();
    mixed = 0xBF58476D1CE4E5B9L * (mixed ^ (mixed >>> 27)) + stream;
    return STREAMS.create(mixed);
  }
}
