package dev.espalier.data;

import java.util.Arrays;
import java.util.SplittableRandom;

/// The training samples of a job, split into those that are trained on and those that are held out
/// to judge branches by: the probe set.
///
/// A function of the number of samples, the size of the probe set and the seed alone, so all
/// workers hold out the same samples. Both parts together are all samples.
///
/// @param training indices of the samples that are trained on, ascending
/// @param probe indices of the samples that are held out, in random order
public record SampleSplit(int[] training, int[] probe) {
  private static final long STREAM = 0x5EED0F9B0BE5L;

  /// Holds out `probeSamples` of `samples`.
  ///
  /// @param samples >= 1
  /// @param probeSamples in [0, samples)
  public static SampleSplit of(int samples, int probeSamples, long seed) {
    if (probeSamples < 0 || probeSamples >= samples) {
      throw new IllegalArgumentException(
          "probeSamples must lie in [0, " + samples + ") but is " + probeSamples);
    }
    int[] order = drawnFirst(samples, probeSamples, seed);
    int[] training = Arrays.copyOfRange(order, probeSamples, samples);
    Arrays.sort(training);
    return new SampleSplit(training, Arrays.copyOf(order, probeSamples));
  }

  /// {@return the numbers in [0, samples), those of a drawn part before all others}
  ///
  /// @param drawn how many are drawn, in [0, samples]
  public static int[] drawnFirst(int samples, int drawn, long seed) {
    int[] order = new int[samples];
    Arrays.setAll(order, i -> i);
    var random = new SplittableRandom(seed ^ STREAM);
    for (int i = 0; i < drawn; i++) {
      int j = i + random.nextInt(samples - i);
      int swapped = order[i];
      order[i] = order[j];
      order[j] = swapped;
    }
    return order;
  }

  /// Turns places in `training`, as a cursor over it gives them, into sample numbers.
  ///
  /// @param places changed in place
  /// @return `places`
  public int[] toSamples(int[] places) {
    if (probe.length > 0) {
      for (int i = 0; i < places.length; i++) {
        places[i] = training[places[i]];
      }
    }
    return places;
  }
}
