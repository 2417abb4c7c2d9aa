package dev.espalier.tuner.core.session;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;

/// A model that memorises while it learns: its training loss falls, its validation loss turns.
///
/// A clock at rate r and batch b learns the share r of the part m that is missing, and memorises
/// `memory` r² b (1 - m)^`late` for good. So the validation loss turns after about 1 / r clocks,
/// and its best falls with r b: a calmer rate or a smaller batch overfits less, and takes longer.
///
/// @param memory how much is memorised, > 0
/// @param late how late it begins: large where short trials cannot see it, > 0
public record OverfittingModel(double memory, double late) implements SimulatedWorkers.Model {
  @Override
  public double[] initial() {
    return new double[] {1, 0};
  }

  @Override
  public double clock(double[] state, Setting setting) {
    double rate = setting.valueOr(Tunable.LEARNING_RATE, 0.01);
    double loss = state[0];
    state[0] *= 1 - Math.min(0.9, rate);
    state[1] +=
        memory
            * rate
            * rate
            * setting.valueOr(Tunable.BATCH_SIZE, 32)
            * Math.pow(1 - state[0], late);
    return loss;
  }

  @Override
  public double evaluate(double[] state) {
    return state[0] + state[1];
  }
}
