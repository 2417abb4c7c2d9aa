package dev.espalier.programs.logreg;

import dev.espalier.data.ExampleData;
import dev.espalier.data.SparseExamples;
import java.util.Arrays;
import java.util.SplittableRandom;

/* Sparse examples of a known model: each has ACTIVE distinct features of value 1, common ones far
 * more often than rare ones; one feature in five has a weight, and the label is drawn from the
 * logistic model of the active weights. The rest is there for an L1 penalty to find.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedExamples {
  private static final long SEED = 0x5EED_106_2E6L;
  private static final int FEATURES = 1000;
  private static final int ACTIVE = 15;
  private static final int TRAINING_EXAMPLES = 20_000;
  private static final int VALIDATION_EXAMPLES = 5_000;
  private static final double WEIGHT_SHARE = 0.2;
  private static final double WEIGHT_DEVIATION = 1.8;
  private static final double INTERCEPT = -0.5;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final double[] weights = new double[FEATURES];

  private GeneratedExamples() {
    for (int i = 0; i < FEATURES; i++) {
      weights[i] =
          random.nextDouble() < WEIGHT_SHARE ? WEIGHT_DEVIATION * random.nextGaussian() : 0;
    }
  }

  static ExampleData generate() {
    var generator = new GeneratedExamples();
    return new ExampleData(
        generator.examples(TRAINING_EXAMPLES), generator.examples(VALIDATION_EXAMPLES));
  }

  private SparseExamples examples(int count) {
    int[] starts = new int[count + 1];
    int[] indices = new int[count * ACTIVE];
    float[] values = new float[count * ACTIVE];
    byte[] labels = new byte[count];
    Arrays.fill(values, 1f);
    int[] active = new int[ACTIVE];
    for (int example = 0; example < count; example++) {
      chooseFeatures(active);
      double z = INTERCEPT;
      for (int feature : active) {
        z += weights[feature];
      }
      labels[example] = (byte) (random.nextDouble() < 1 / (1 + Math.exp(-z)) ? 1 : 0);
      starts[example + 1] = (example + 1) * ACTIVE;
      System.arraycopy(active, 0, indices, example * ACTIVE, ACTIVE);
    }
    return new SparseExamples(count, FEATURES, starts, indices, values, labels);
  }

  private void chooseFeatures(int[] active) {
    int chosen = 0;
    while (chosen < active.length) {
      double rank = random.nextDouble();
      int feature = (int) (FEATURES * rank * rank * rank);
      boolean fresh = true;
      for (int i = 0; i < chosen; i++) {
        fresh &= active[i] != feature;
      }
      if (fresh) {
        active[chosen++] = feature;
      }
    }
    Arrays.sort(active);
  }
}
