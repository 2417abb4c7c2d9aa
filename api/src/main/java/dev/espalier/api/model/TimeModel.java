package dev.espalier.api.model;

/// A cost model that stands in for the wall clock, so that decisions do not depend on the machine's
/// mood: `seconds of a clock = perClockSeconds + perSampleSeconds * samples of one worker`.
///
/// @param perClockSeconds >= 0
/// @param perSampleSeconds >= 0; not both zero
public record TimeModel(double perClockSeconds, double perSampleSeconds) {
  public TimeModel {
    if (!(perClockSeconds >= 0
        && perSampleSeconds >= 0
        && perClockSeconds + perSampleSeconds > 0)) {
      throw new IllegalArgumentException(
          "need perClockSeconds >= 0 and perSampleSeconds >= 0, not both 0, but they are "
              + perClockSeconds
              + " and "
              + perSampleSeconds);
    }
  }

  /// {@return the modelled seconds of one clock in which each worker has `samples`}
  public double secondsOf(long samples) {
    return perClockSeconds + perSampleSeconds * samples;
  }
}
