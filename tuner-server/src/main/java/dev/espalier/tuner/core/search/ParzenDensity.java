package dev.espalier.tuner.core.search;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.apache.commons.math3.special.Erf;

/*
 * The adaptive Parzen estimator of Bergstra, Bardenet, Bengio, Kegl 2011, section 4, on [0, 1]: one
 * Gaussian for each observation and one for the prior (mean 1/2, deviation 1), each as wide as the
 * larger gap to its neighbours, never wider than the prior and never narrower than
 * 1 / min(100, n + 1); all cut off at 0 and 1.
 */

/// A density over the unit interval, made of Gaussians around observed values.
final class ParzenDensity {
  private static final double PRIOR_MEAN = 0.5;
  private static final double PRIOR_DEVIATION = 1.0;

  private final double[] means;
  private final double[] deviations;
  private final double[] weights;
  private final double mass;

  private ParzenDensity(double[] means, double[] deviations, double[] weights) {
    this.means = means;
    this.deviations = deviations;
    this.weights = weights;
    double inside = 0;
    for (int i = 0; i < means.length; i++) {
      inside += weights[i] * massInside(means[i], deviations[i]);
    }
    this.mass = inside;
  }

  /// Fits a density.
  ///
  /// @param values in [0, 1], oldest first; may be empty
  /// @param ages weight of each value
  /// @param priorWeight weight of the prior
  static ParzenDensity of(List<Double> values, double[] ages, double priorWeight) {
    int count = values.size() + 1;
    double[] unsorted = new double[count];
    double[] unsortedWeights = Arrays.copyOf(ages, count);
    for (int i = 0; i < values.size(); i++) {
      unsorted[i] = values.get(i);
    }
    unsorted[count - 1] = PRIOR_MEAN;
    unsortedWeights[count - 1] = priorWeight;
    int[] order =
        IntStream.range(0, count)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> unsorted[i]))
            .mapToInt(Integer::intValue)
            .toArray();
    double total = Arrays.stream(unsortedWeights).sum();
    double[] means = Arrays.stream(order).mapToDouble(i -> unsorted[i]).toArray();
    double[] weights = Arrays.stream(order).mapToDouble(i -> unsortedWeights[i] / total).toArray();
    double[] deviations = widths(means, values.size());
    for (int i = 0; i < count; i++) {
      if (order[i] == count - 1) {
        deviations[i] = PRIOR_DEVIATION;
      }
    }
    return new ParzenDensity(means, deviations, weights);
  }

  double sample(SplittableRandom random) {
    while (true) {
      int component = Draws.index(weights, random);
      double value = means[component] + deviations[component] * random.nextGaussian();
      if (value >= 0 && value <= 1) {
        return value;
      }
    }
  }

  double logDensity(double value) {
    double density = 0;
    for (int i = 0; i < means.length; i++) {
      double z = (value - means[i]) / deviations[i];
      density += weights[i] * Math.exp(-0.5 * z * z) / (deviations[i] * Math.sqrt(2 * Math.PI));
    }
    return Math.log(density / mass);
  }

  private static double[] widths(double[] sorted, int observations) {
    double[] widths = new double[sorted.length];
    if (observations == 1) {
      // Two points alone are one gap apart, however close; half the prior's width is hyperopt's
      // way.
      Arrays.fill(widths, PRIOR_DEVIATION / 2);
      return widths;
    }
    double narrowest = PRIOR_DEVIATION / Math.min(100.0, 1.0 + sorted.length);
    for (int i = 0; i < sorted.length; i++) {
      double left = i > 0 ? sorted[i] - sorted[i - 1] : 0;
      double right = i < sorted.length - 1 ? sorted[i + 1] - sorted[i] : 0;
      widths[i] = Math.clamp(Math.max(left, right), narrowest, PRIOR_DEVIATION);
    }
    return widths;
  }

  private static double massInside(double mean, double deviation) {
    double scale = deviation * Math.sqrt(2);
    return 0.5 * (Erf.erf((1 - mean) / scale) - Erf.erf(-mean / scale));
  }
}
