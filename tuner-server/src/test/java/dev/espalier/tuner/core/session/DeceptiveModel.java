package dev.espalier.tuner.core.session;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;

/// A model whose training data tell another story than its validation data: the loss falls by the
/// rate, on held-out samples too, but clocks at a rate above `honest` do harm that validation alone
/// sees.
///
/// @param honest the largest rate that does no harm
/// @param harm of one clock, to the validation loss, > 0
public record DeceptiveModel(double honest, double harm) implements SimulatedWorkers.Model {
  private static final double NOISE = 1e-4;

  @Override
  public double[] initial() {
    return new double[] {1, 0};
  }

  @Override
  public double clock(double[] state, Setting setting) {
    double rate = setting.valueOr(Tunable.LEARNING_RATE, 0.01);
    double loss = state[0];
    state[0] *= 1 - Math.min(0.9, 0.05 * rate);
    state[1] += rate > honest ? harm : 0;
    return loss;
  }

  @Override
  public double evaluate(double[] state) {
    return state[0] + state[1];
  }

  @Override
  public double[] losses(double[] state, long samples) {
    return SimulatedWorkers.Model.blocks(samples, block -> state[0] * (1 + NOISE * (block % 5)));
  }
}
