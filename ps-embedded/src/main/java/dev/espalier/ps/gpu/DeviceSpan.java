package dev.espalier.ps.gpu;

/// Runs of elements of many pages that an update rule changes in one launch.
///
/// All addresses are of the device.
///
/// @param runs address of the runs, as [RunWriter] lays them out
/// @param count number of runs, >= 1
/// @param longest floats of the longest run, >= 1
/// @param planeBytes distance of two planes in bytes, the same in all pages
/// @param gradients address of the sums of per-sample gradients that runs refer to
/// @param divisor what a sum is divided by to become the gradient `g` of the formulas, > 0
public record DeviceSpan(
    long runs, int count, int longest, long planeBytes, long gradients, float divisor) {

  /// Checks the bounds.
  public DeviceSpan {
    if (count < 1 || longest < 1) {
      throw new IllegalArgumentException(
          "count and longest must be >= 1 but are %d and %d".formatted(count, longest));
    }
  }
}
