package dev.espalier.programs.mf;

import static dev.espalier.sdk.OpenRows.MEMORY;

import dev.espalier.data.Ratings;
import dev.espalier.sdk.OpenRows;
import java.lang.foreign.ValueLayout;

/// [FactorSteps] float by float.
final class PlainFactorSteps implements FactorSteps {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  @Override
  public double take(Work work, int from, int to) {
    OpenRows users = work.users();
    OpenRows items = work.items();
    FactorShape shape = work.shape();
    Ratings ratings = work.ratings();
    int[] samples = work.samples();
    Constants constants = work.constants();
    float shrink = 1 - constants.learningRate() * constants.l2();
    double lossSum = 0;
    for (int i = from; i < to; i++) {
      int sample = samples[i];
      long p = users.at(ratings.users()[sample]);
      long q = items.at(ratings.items()[sample]);
      float product = 0;
      for (int k = 0; k < shape.rank(); k++) {
        product += MEMORY.get(FLOAT, p + 4L * k) * MEMORY.get(FLOAT, q + 4L * k);
      }
      long userBias = p + 4L * shape.bias();
      long itemBias = q + 4L * shape.bias();
      float bu = MEMORY.get(FLOAT, userBias);
      float bi = MEMORY.get(FLOAT, itemBias);
      float error = constants.mean() + bu + bi + product - ratings.values()[sample];
      float step = -constants.learningRate() * error;
      for (int k = 0; k < shape.rank(); k++) {
        float pk = MEMORY.get(FLOAT, p + 4L * k);
        float qk = MEMORY.get(FLOAT, q + 4L * k);
        MEMORY.set(FLOAT, p + 4L * k, shrink * pk + step * qk);
        MEMORY.set(FLOAT, q + 4L * k, shrink * qk + step * pk);
      }
      MEMORY.set(FLOAT, userBias, shrink * bu + step);
      MEMORY.set(FLOAT, itemBias, shrink * bi + step);
      lossSum += error * error;
    }
    return lossSum / 2;
  }
}
