package dev.espalier.sdk;

/// What one clock came to at one worker.
///
/// @param lossSum sum of the training loss over the samples, before this clock's update; NaN or
///   infinite when training overflowed
/// @param samples how many samples the clock used, >= 0; the loss of a clock is the mean over those
///   of all workers, so 0 at one of them is well, and 0 at all makes a loss that is no number
public record Progress(double lossSum, int samples) {
  public Progress {
    if (samples < 0) {
      throw new IllegalArgumentException("samples must be >= 0 but is " + samples);
    }
  }
}
