package dev.espalier.programs.mf;

import dev.espalier.data.Ratings;
import java.util.SplittableRandom;

/* Ratings of a known structure: `3.5 + user bias + item bias + user . item + noise`, with factors
 * of RANK numbers, rounded to halves and clipped to [0.5, 5]. Popular items get more ratings. The
 * best possible error is about the noise; all biases and factors at zero give about 1.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedRatings {
  private static final long SEED = 0x5EED_A7165L;
  private static final int USERS = 800;
  private static final int ITEMS = 500;
  private static final int RATINGS = 50_000;
  private static final int RANK = 5;
  private static final double BIAS_DEVIATION = 0.4;
  private static final double PRODUCT_DEVIATION = 0.7;
  private static final double NOISE = 0.4;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final double[] userBiases = normals(USERS, BIAS_DEVIATION);
  private final double[] itemBiases = normals(ITEMS, BIAS_DEVIATION);
  private final double[] userFactors = normals(USERS * RANK, factorDeviation());
  private final double[] itemFactors = normals(ITEMS * RANK, factorDeviation());

  private GeneratedRatings() {}

  static RatingData generate() {
    var generator = new GeneratedRatings();
    var ratings = new Ratings(RATINGS, new int[RATINGS], new int[RATINGS], new float[RATINGS]);
    for (int i = 0; i < RATINGS; i++) {
      generator.rate(ratings, i);
    }
    return RatingData.splitAtRandom(ratings);
  }

  private void rate(Ratings ratings, int i) {
    int user = random.nextInt(USERS);
    double popularity = random.nextDouble();
    int item = (int) (ITEMS * popularity * popularity);
    double rating = 3.5 + userBiases[user] + itemBiases[item] + NOISE * random.nextGaussian();
    for (int k = 0; k < RANK; k++) {
      rating += userFactors[user * RANK + k] * itemFactors[item * RANK + k];
    }
    ratings.users()[i] = user;
    ratings.items()[i] = item;
    ratings.values()[i] = (float) Math.clamp(Math.round(2 * rating) / 2.0, 0.5, 5);
  }

  /// The deviation d of factors for which a product of RANK pairs has PRODUCT_DEVIATION.
  private static double factorDeviation() {
    return Math.sqrt(PRODUCT_DEVIATION / Math.sqrt(RANK));
  }

  private double[] normals(int count, double deviation) {
    double[] values = new double[count];
    for (int i = 0; i < count; i++) {
      values[i] = deviation * random.nextGaussian();
    }
    return values;
  }
}
