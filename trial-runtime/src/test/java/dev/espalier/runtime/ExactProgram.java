package dev.espalier.runtime;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.random.RandomGenerator;

/// A bilinear model that uses all state a fork must copy: dense and sparse rows, steps and moments
/// of three update rules, the place in the data, and the random stream.
///
/// The prediction of a sample (l, r) is left[l] . mixer right[r]; its target is blurred anew in
/// each clock.
class ExactProgram implements TrainingProgram {
  private static final int SAMPLES = 90;
  private static final int ROWS = 40;
  private static final int WIDTH = 3;

  private final long pauseMillis;
  private final int[][] pairs = new int[SAMPLES][2];
  private final float[] targets = new float[SAMPLES];

  /// @param pauseMillis makes each clock longer
  ExactProgram(long pauseMillis) {
    this.pauseMillis = pauseMillis;
  }

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "exact",
        "Bilinear model that uses all state a fork copies.",
        false,
        List.of(),
        List.of(new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-4, 1, 0.05)),
        List.of(
            new MetricSpec("loss", Goal.MINIMIZE, MetricSpec.Aggregate.MEAN),
            new MetricSpec("weights", Goal.MINIMIZE, MetricSpec.Aggregate.MEAN)));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    var random = new Random(environment.seed());
    for (int sample = 0; sample < SAMPLES; sample++) {
      pairs[sample] = new int[] {random.nextInt(ROWS), random.nextInt(ROWS)};
      targets[sample] = (float) random.nextGaussian();
    }
    return new ProgramShape(
        List.of(
            TableDeclaration.dense("mixer", WIDTH, WIDTH, "adam"),
            TableDeclaration.sparse("left", ROWS, WIDTH, "adagrad"),
            TableDeclaration.sparse("right", ROWS, WIDTH, "momentum")),
        SAMPLES,
        8);
  }

  @Override
  public void initialise(ProgramContext context) {
    RandomGenerator random = context.random();
    for (String name : List.of("mixer", "left", "right")) {
      ParameterTable table = context.table(name);
      int rows = (int) table.rows();
      float[] values = new float[rows * WIDTH];
      for (int i = 0; i < values.length; i++) {
        values[i] = random.nextFloat() - 0.5f;
      }
      table.assign(0, rows, values, 0);
    }
  }

  @Override
  public Progress clock(ProgramContext context) {
    pause();
    RandomGenerator random = context.random();
    int[] samples = context.samples();
    long[] leftRows = new long[samples.length];
    long[] rightRows = new long[samples.length];
    for (int i = 0; i < samples.length; i++) {
      leftRows[i] = pairs[samples[i]][0];
      rightRows[i] = pairs[samples[i]][1];
    }
    float[] mixer = new float[WIDTH * WIDTH];
    float[] left = new float[samples.length * WIDTH];
    float[] right = new float[samples.length * WIDTH];
    context.table("mixer").read(0, WIDTH, mixer, 0);
    context.table("left").read(leftRows, samples.length, left);
    context.table("right").read(rightRows, samples.length, right);

    float[] mixerGradient = new float[mixer.length];
    float[] leftGradient = new float[left.length];
    float[] rightGradient = new float[right.length];
    double lossSum = 0;
    for (int i = 0; i < samples.length; i++) {
      int at = i * WIDTH;
      double blurred = targets[samples[i]] + 0.1 * random.nextGaussian();
      double error = predict(mixer, left, right, at) - blurred;
      lossSum += 0.5 * error * error;
      for (int a = 0; a < WIDTH; a++) {
        for (int b = 0; b < WIDTH; b++) {
          float weight = mixer[a * WIDTH + b];
          mixerGradient[a * WIDTH + b] += (float) error * left[at + a] * right[at + b];
          leftGradient[at + a] += (float) error * weight * right[at + b];
          rightGradient[at + b] += (float) error * weight * left[at + a];
        }
      }
    }
    context.table("mixer").add(0, WIDTH, mixerGradient, 0);
    context.table("left").add(leftRows, samples.length, leftGradient);
    context.table("right").add(rightRows, samples.length, rightGradient);
    return new Progress(lossSum, samples.length);
  }

  private static double predict(float[] mixer, float[] left, float[] right, int at) {
    double prediction = 0;
    for (int a = 0; a < WIDTH; a++) {
      for (int b = 0; b < WIDTH; b++) {
        prediction += left[at + a] * mixer[a * WIDTH + b] * right[at + b];
      }
    }
    return prediction;
  }

  private void pause() {
    if (pauseMillis > 0) {
      try {
        Thread.sleep(pauseMillis);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Reads every parameter, so that none can differ unseen.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    float[] mixer = all(context.table("mixer"));
    float[] left = all(context.table("left"));
    float[] right = all(context.table("right"));
    double weights = 0;
    for (float[] values : List.of(mixer, left, right)) {
      for (int i = 0; i < values.length; i++) {
        weights += (i + 1) * (double) values[i];
      }
    }
    double lossSum = 0;
    int count = 0;
    for (int s = context.worker(); s < SAMPLES; s += context.workers()) {
      float[] l = row(left, pairs[s][0]);
      double error = predict(mixer, l, row(right, pairs[s][1]), 0) - targets[s];
      lossSum += 0.5 * error * error;
      count++;
    }
    return new Evaluation(Map.of("loss", lossSum / count, "weights", weights), count);
  }

  private static float[] all(ParameterTable table) {
    float[] values = new float[(int) table.rows() * WIDTH];
    table.read(0, (int) table.rows(), values, 0);
    return values;
  }

  private static float[] row(float[] values, int row) {
    return java.util.Arrays.copyOfRange(values, row * WIDTH, (row + 1) * WIDTH);
  }
}
