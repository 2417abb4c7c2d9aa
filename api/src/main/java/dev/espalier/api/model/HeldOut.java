package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

/// Which samples judge branches, the probe set, and how many training samples are held out of
/// training for it.
///
/// @param samples wished for, >= 0; 0 judges by none and holds nothing out
/// @param maxShare of the training samples that may be held out at most, in [0, 0.5]
/// @param source where they come from
public record HeldOut(int samples, double maxShare, ProbeSource source) {
  /// All samples are trained on, and nothing is judged.
  public static final HeldOut NOTHING = new HeldOut(0, 0, ProbeSource.HELD_OUT);

  public HeldOut {
    if (samples < 0) {
      throw new IllegalArgumentException("samples must be >= 0 but is " + samples);
    }
    if (!(maxShare >= 0 && maxShare <= 0.5)) {
      throw new IllegalArgumentException("maxShare must lie in [0, 0.5] but is " + maxShare);
    }
    requireNonNull(source, "source");
  }

  /// {@return whether validation samples judge: no fewer than would be held out, and at least one}
  ///
  /// @param trainingSamples all there are
  /// @param validationSamples of which parts can be measured
  public boolean isOfValidation(int trainingSamples, int validationSamples) {
    return source == ProbeSource.VALIDATION
        && samples > 0
        && validationSamples >= Math.max(1, wish(trainingSamples));
  }

  /// {@return how many training samples are held out: the wish, but not more than the share; 0
  /// where validation samples judge}
  public int of(int trainingSamples, int validationSamples) {
    return isOfValidation(trainingSamples, validationSamples) ? 0 : wish(trainingSamples);
  }

  /// {@return how many samples there are to judge by}
  public int probeSamples(int trainingSamples, int validationSamples) {
    return isOfValidation(trainingSamples, validationSamples)
        ? validationSamples
        : wish(trainingSamples);
  }

  private int wish(int trainingSamples) {
    return (int) Math.min(samples, Math.floor(maxShare * trainingSamples));
  }
}
