package dev.espalier.programs.logreg;

import dev.espalier.data.SparseExamples;
import java.util.SplittableRandom;

/// Examples of a random number of random features.
final class RandomExamples {
  private RandomExamples() {}

  static SparseExamples of(int count, int features) {
    var random = new SplittableRandom(5);
    int[] starts = new int[count + 1];
    int[] indices = new int[count * features];
    float[] values = new float[count * features];
    byte[] labels = new byte[count];
    int next = 0;
    for (int i = 0; i < count; i++) {
      for (int feature = 0; feature < features; feature++) {
        if (random.nextInt(features) < i % 12) {
          indices[next] = feature;
          values[next++] = (float) random.nextGaussian();
        }
      }
      labels[i] = (byte) random.nextInt(2);
      starts[i + 1] = next;
    }
    return new SparseExamples(count, features, starts, indices, values, labels);
  }
}
