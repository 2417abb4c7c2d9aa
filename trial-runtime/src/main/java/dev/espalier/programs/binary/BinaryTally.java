package dev.espalier.programs.binary;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.sdk.Evaluation;
import java.util.List;
import java.util.Map;

/// Adds up what a model says about examples of two classes.
public final class BinaryTally {
  /// `logLoss` in nats and `accuracy`.
  public static final List<MetricSpec> METRICS =
      List.of(MetricSpec.minimize("logLoss"), MetricSpec.maximize("accuracy"));

  private double lossSum;
  private int correct;
  private int judged;

  /// @param z score of an example, the log odds of label 1; above 0 stands for that label
  /// @param label 0 or 1
  public void add(double z, int label) {
    lossSum += LogLoss.of(z, label);
    correct += (label == 1 ? z > 0 : z <= 0) ? 1 : 0;
    judged++;
  }

  /// {@return the [#METRICS] of all examples; 0 where there were none}
  public Evaluation evaluation() {
    int divisor = Math.max(1, judged);
    return new Evaluation(
        Map.of("logLoss", lossSum / divisor, "accuracy", (double) correct / divisor), judged);
  }
}
