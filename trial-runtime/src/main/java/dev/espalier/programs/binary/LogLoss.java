package dev.espalier.programs.binary;

/// The loss of an example of two classes, in nats.
public final class LogLoss {
  private LogLoss() {}

  /// {@return `log(1 + exp(-z))` for label 1 and `log(1 + exp(z))` for label 0, without overflow}
  public static double of(double z, int label) {
    double margin = label == 1 ? z : -z;
    return Math.log1p(Math.exp(-Math.abs(margin))) + Math.max(-margin, 0);
  }

  /// {@return the probability of label 1, whose difference to the label is the loss's slope in z}
  public static double sigmoid(double z) {
    return 1 / (1 + Math.exp(-z));
  }
}
