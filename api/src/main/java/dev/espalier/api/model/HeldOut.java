package dev.espalier.api.model;

/// How many training samples are held out of training to judge branches by: the probe set.
///
/// @param samples wished for, >= 0; 0 holds nothing out
/// @param maxShare of the training samples that may be held out at most, in [0, 0.5]
public record HeldOut(int samples, double maxShare) {
  /// All samples are trained on.
  public static final HeldOut NOTHING = new HeldOut(0, 0);

  public HeldOut {
    if (samples < 0) {
      throw new IllegalArgumentException("samples must be >= 0 but is " + samples);
    }
    if (!(maxShare >= 0 && maxShare <= 0.5)) {
      throw new IllegalArgumentException("maxShare must lie in [0, 0.5] but is " + maxShare);
    }
  }

  /// {@return the size of the probe set: the wish, but not more than the share}
  ///
  /// @param trainingSamples all there are
  public int of(int trainingSamples) {
    return (int) Math.min(samples, Math.floor(maxShare * trainingSamples));
  }
}
