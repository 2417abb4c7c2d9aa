package dev.espalier.tuner.core.search;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class GaussianProcessTest {
  private static final double[] SCALES = {0.5};

  @Test
  void theKernelIsMaternFiveHalves() {
    // r = 1: (1 + sqrt 5 + 5/3) exp(-sqrt 5).
    assertThat(GaussianProcess.matern52(new double[] {0}, new double[] {0.5}, SCALES))
        .isCloseTo(0.5239941088318203, within(1e-12));
    assertThat(GaussianProcess.matern52(new double[] {0.3}, new double[] {0.3}, SCALES)).isOne();
  }

  @Test
  void oneObservationIsShrunkByItsNoise() {
    GaussianProcess process = process(new double[][] {{0.2}}, new double[] {3}, 2, 1);

    GaussianProcess.Belief there = process.at(new double[] {0.2});
    assertThat(there.mean()).isCloseTo(3 * 2.0 / 3, within(1e-6));
    assertThat(there.deviation()).isCloseTo(Math.sqrt(2 - 4.0 / 3), within(1e-6));
    // log N(3; 0, 2 + 1)
    assertThat(process.logLikelihood())
        .isCloseTo(-0.5 * 9 / 3 - 0.5 * Math.log(3) - 0.5 * Math.log(2 * Math.PI), within(1e-6));
  }

  @Test
  void withoutNoiseTheProcessGoesThroughTheObservations() {
    double[][] points = {{0.1}, {0.4}, {0.9}};
    double[] values = {1, -1, 0.5};
    GaussianProcess process = process(points, values, 1, 0);

    for (int i = 0; i < points.length; i++) {
      assertThat(process.at(points[i]).mean()).isCloseTo(values[i], within(1e-6));
      assertThat(process.at(points[i]).deviation()).isLessThan(1e-3);
    }
    assertThat(process.at(new double[] {0.65}).deviation()).isGreaterThan(0.1);
  }

  @Test
  void theSamplerFindsWhichDimensionMatters() {
    var random = new SplittableRandom(3);
    var points = new double[30][];
    var values = new double[30];
    for (int i = 0; i < 30; i++) {
      points[i] = new double[] {random.nextDouble(), random.nextDouble()};
      values[i] = 1.4 * Math.sin(9 * points[i][0]) + 0.01 * random.nextGaussian();
    }
    double along = 0;
    double across = 0;
    for (GaussianProcess process :
        new KernelSampler(points, values, new SplittableRandom(4)).sample()) {
      along += Math.abs(process.at(new double[] {0.17, 0.5}).mean() - 1.4 * Math.sin(9 * 0.17));
      across +=
          Math.abs(
              process.at(new double[] {0.5, 0.1}).mean()
                  - process.at(new double[] {0.5, 0.9}).mean());
    }

    assertThat(along / 10).isLessThan(0.1);
    assertThat(across / 10).isLessThan(0.1);
  }

  private static GaussianProcess process(
      double[][] points, double[] values, double amplitude, double noise) {
    return requireNonNull(GaussianProcess.of(points, values, SCALES, amplitude, noise));
  }
}
