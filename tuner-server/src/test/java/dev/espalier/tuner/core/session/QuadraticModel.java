package dev.espalier.tuner.core.session;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.SplittableRandom;

/// A quadratic bowl with noisy gradients, trained by gradient descent with momentum.
///
/// Loss `floor + sum_i h_i w_i^2 / 2`; it diverges above a learning rate of about 2 (1 + m) / max
/// h, crawls below, and noise keeps it from the floor until the rate falls. Forks of one state see
/// the same noise.
///
/// @param steep the larger curvature
/// @param shallow the smaller curvature
/// @param gradientNoise deviation of one sample's gradient
/// @param lossNoise deviation of one sample's loss
/// @param lateClocks clocks in which nothing is learned at first
/// @param seed of the noise
public record QuadraticModel(
    double steep,
    double shallow,
    double gradientNoise,
    double lossNoise,
    long lateClocks,
    long seed)
    implements SimulatedWorkers.Model {
  /// The least validation loss there is.
  public static final double FLOOR = 0.1;

  private static final double OVERFLOW = 1e9;
  private static final int CLOCK = 4;

  /// A bowl without surprises.
  public static QuadraticModel quiet(long seed) {
    return new QuadraticModel(1, 0.05, 0.2, 0.02, 0, seed);
  }

  @Override
  public double[] initial() {
    return new double[] {3, 3, 0, 0, 0};
  }

  @Override
  public double clock(double[] state, Setting setting) {
    double rate = setting.valueOr(Tunable.LEARNING_RATE, 0.01);
    double momentum = setting.valueOr(Tunable.MOMENTUM, 0);
    double scale = 1 / Math.sqrt(setting.valueOr(Tunable.BATCH_SIZE, 32));
    var random = new SplittableRandom(seed * 31 + (long) state[CLOCK] * 7919);
    double loss = loss(state) + lossNoise * scale * random.nextGaussian();
    boolean learns = state[CLOCK] >= lateClocks;
    for (int i = 0; i < 2 && rate > 0 && learns; i++) {
      double curvature = i == 0 ? steep : shallow;
      double gradient = curvature * state[i] + gradientNoise * scale * random.nextGaussian();
      state[2 + i] = momentum * state[2 + i] + gradient;
      state[i] -= rate * state[2 + i];
    }
    state[CLOCK]++;
    return loss < OVERFLOW ? loss : Double.NaN;
  }

  @Override
  public double evaluate(double[] state) {
    return loss(state);
  }

  private double loss(double[] state) {
    return FLOOR + (steep * state[0] * state[0] + shallow * state[1] * state[1]) / 2;
  }
}
