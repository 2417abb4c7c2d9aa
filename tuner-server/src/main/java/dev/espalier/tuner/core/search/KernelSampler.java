package dev.espalier.tuner.core.search;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/*
 * Slice sampling (Neal 2003, section 4; here along random directions, with stepping out) of the
 * logarithms of a process's parameters, under their marginal likelihood times the priors of Snoek,
 * Larochelle, Adams 2012 as their Spearmint has them: length scales below 2, a log-normal amplitude,
 * a horseshoe on the noise. Sampling replaces one best fit: an acquisition that is averaged over
 * the samples (their section 3.2) is not misled by a fit to a handful of points.
 */

/// Draws Gaussian processes that are plausible for what was observed.
final class KernelSampler {
  private static final int BURN_IN = 40;
  private static final int SAMPLES = 10;
  private static final int STEPS_OUT = 8;
  private static final double WIDTH = 1;
  private static final double MAX_LENGTH_SCALE = 2;
  private static final double MIN_LENGTH_SCALE = 0.01;
  private static final double NOISE_SCALE = 0.1;
  private static final double MIN_NOISE = 1e-7;
  private static final double FIRST_LENGTH_SCALE = 0.5;
  private static final double FIRST_NOISE = 0.01;

  private final double[][] points;
  private final double[] values;
  private final SplittableRandom random;

  KernelSampler(double[][] points, double[] values, SplittableRandom random) {
    this.points = points;
    this.values = values;
    this.random = random;
  }

  /// A point of the chain: D log length scales, log amplitude, log noise, and what comes of them.
  private record State(double[] logs, GaussianProcess process, double logDensity) {}

  /// {@return ten processes, in the order of the chain}
  List<GaussianProcess> sample() {
    int dimensions = points[0].length;
    var first = new double[dimensions + 2];
    java.util.Arrays.fill(first, 0, dimensions, Math.log(FIRST_LENGTH_SCALE));
    first[dimensions + 1] = Math.log(FIRST_NOISE);
    State state = state(first);
    if (state == null) {
      throw new IllegalStateException("the first covariance of the chain cannot be factored");
    }
    var samples = new ArrayList<GaussianProcess>();
    for (int i = 0; i < BURN_IN + SAMPLES; i++) {
      state = step(state, direction(0, dimensions));
      state = step(state, direction(dimensions, dimensions + 2));
      if (i >= BURN_IN) {
        samples.add(state.process());
      }
    }
    return samples;
  }

  /// A random direction in some of the coordinates: in turn the length scales, and the rest.
  private double[] direction(int from, int to) {
    var direction = new double[points[0].length + 2];
    double square = 0;
    for (int i = from; i < to; i++) {
      direction[i] = random.nextGaussian();
      square += direction[i] * direction[i];
    }
    for (int i = from; i < to; i++) {
      direction[i] /= Math.sqrt(square);
    }
    return direction;
  }

  private State step(State from, double[] direction) {
    double level = from.logDensity() + Math.log(1 - random.nextDouble());
    double low = -WIDTH * random.nextDouble();
    double high = low + WIDTH;
    for (int i = 0; i < STEPS_OUT && isAbove(level, from, direction, low); i++) {
      low -= WIDTH;
    }
    for (int i = 0; i < STEPS_OUT && isAbove(level, from, direction, high); i++) {
      high += WIDTH;
    }
    while (high - low > 1e-9) {
      double step = low + (high - low) * random.nextDouble();
      State next = state(moved(from.logs(), direction, step));
      if (next != null && next.logDensity() > level) {
        return next;
      }
      if (step < 0) {
        low = step;
      } else {
        high = step;
      }
    }
    return from;
  }

  private boolean isAbove(double level, State from, double[] direction, double step) {
    State there = state(moved(from.logs(), direction, step));
    return there != null && there.logDensity() > level;
  }

  private static double[] moved(double[] logs, double[] direction, double step) {
    double[] moved = logs.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += step * direction[i];
    }
    return moved;
  }

  /// {@return null outside the prior}
  private @Nullable State state(double[] logs) {
    int dimensions = logs.length - 2;
    var scales = new double[dimensions];
    double logPrior = 0;
    for (int d = 0; d < dimensions; d++) {
      scales[d] = Math.exp(logs[d]);
      if (scales[d] > MAX_LENGTH_SCALE || scales[d] < MIN_LENGTH_SCALE) {
        return null;
      }
      // The prior is flat in the length scale, and the chain walks in its logarithm.
      logPrior += logs[d];
    }
    double logAmplitude = logs[dimensions];
    logPrior -= 0.5 * logAmplitude * logAmplitude;
    double noise = Math.exp(logs[dimensions + 1]);
    if (noise < MIN_NOISE || noise > 1) {
      return null;
    }
    logPrior +=
        Math.log(Math.log1p(NOISE_SCALE * NOISE_SCALE / (noise * noise))) + logs[dimensions + 1];
    GaussianProcess process =
        GaussianProcess.of(points, values, scales, Math.exp(logAmplitude), noise);
    return process == null ? null : new State(logs, process, process.logLikelihood() + logPrior);
  }
}
