package dev.espalier.programs.fm;

import dev.espalier.data.ExampleData;
import dev.espalier.data.SparseExamples;
import java.util.Arrays;
import java.util.SplittableRandom;

/* Clicks of a known factorization machine: each example has one category of every field, common ones
 * far more often than rare ones; every category has a weight and factors, and the label is drawn from
 * the logistic model of the weights and the pairwise interactions. A linear model cannot reach it.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedClicks {
  private static final long SEED = 0x5EED_F4C7L;
  private static final int FIELDS = 12;
  private static final int CATEGORIES = 60;
  private static final int RANK = 3;
  private static final int TRAINING_EXAMPLES = 20_000;
  private static final int VALIDATION_EXAMPLES = 5_000;
  private static final double WEIGHT_DEVIATION = 0.3;
  private static final double FACTOR_DEVIATION = 0.45;
  private static final double INTERCEPT = -1;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final double[] weights = new double[FIELDS * CATEGORIES];
  private final double[][] factors = new double[FIELDS * CATEGORIES][RANK];

  private GeneratedClicks() {
    for (int feature = 0; feature < weights.length; feature++) {
      weights[feature] = WEIGHT_DEVIATION * random.nextGaussian();
      for (int f = 0; f < RANK; f++) {
        factors[feature][f] = FACTOR_DEVIATION * random.nextGaussian();
      }
    }
  }

  static ExampleData generate() {
    var generator = new GeneratedClicks();
    return new ExampleData(
        generator.examples(TRAINING_EXAMPLES), generator.examples(VALIDATION_EXAMPLES));
  }

  private SparseExamples examples(int count) {
    int[] starts = new int[count + 1];
    int[] indices = new int[count * FIELDS];
    float[] values = new float[count * FIELDS];
    byte[] labels = new byte[count];
    Arrays.fill(values, 1f);
    for (int example = 0; example < count; example++) {
      int from = example * FIELDS;
      for (int field = 0; field < FIELDS; field++) {
        double rank = random.nextDouble();
        indices[from + field] = field * CATEGORIES + (int) (CATEGORIES * rank * rank);
      }
      double click = 1 / (1 + Math.exp(-score(indices, from)));
      labels[example] = (byte) (random.nextDouble() < click ? 1 : 0);
      starts[example + 1] = from + FIELDS;
    }
    return new SparseExamples(count, FIELDS * CATEGORIES, starts, indices, values, labels);
  }

  private double score(int[] indices, int from) {
    double score = INTERCEPT;
    for (int i = from; i < from + FIELDS; i++) {
      score += weights[indices[i]];
      for (int j = from; j < i; j++) {
        for (int f = 0; f < RANK; f++) {
          score += factors[indices[i]][f] * factors[indices[j]][f];
        }
      }
    }
    return score;
  }
}
