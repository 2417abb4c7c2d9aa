package dev.espalier.data;

import java.util.Arrays;
import java.util.SplittableRandom;

/// Labelled examples whose features are mostly zero, row by row.
///
/// @param count how many examples, >= 1
/// @param features one more than the largest feature number
/// @param starts count + 1 positions: example i owns [starts[i], starts[i + 1]) of the next two
/// @param indices feature numbers from 0, strictly ascending within an example
/// @param values feature values, finite
/// @param labels the class of each example from 0, as unsigned bytes; of binary examples 0 or 1
public record SparseExamples(
    int count, int features, int[] starts, int[] indices, float[] values, byte[] labels) {
  /// {@return the examples in [from, to)}
  public SparseExamples slice(int from, int to) {
    int first = starts[from];
    int[] moved = Arrays.copyOfRange(starts, from, to + 1);
    for (int i = 0; i < moved.length; i++) {
      moved[i] -= first;
    }
    return new SparseExamples(
        to - from,
        features,
        moved,
        Arrays.copyOfRange(indices, first, starts[to]),
        Arrays.copyOfRange(values, first, starts[to]),
        Arrays.copyOfRange(labels, from, to));
  }

  /// {@return the examples in a random order, always the same}
  public SparseExamples shuffled() {
    int[] order = new int[count];
    var random = new SplittableRandom(0x5EED_0FDE4L);
    for (int i = 0; i < count; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    int[] newStarts = new int[count + 1];
    int[] newIndices = new int[starts[count]];
    float[] newValues = new float[starts[count]];
    byte[] newLabels = new byte[count];
    for (int i = 0; i < count; i++) {
      int first = starts[order[i]];
      int entries = starts[order[i] + 1] - first;
      System.arraycopy(indices, first, newIndices, newStarts[i], entries);
      System.arraycopy(values, first, newValues, newStarts[i], entries);
      newStarts[i + 1] = newStarts[i] + entries;
      newLabels[i] = labels[order[i]];
    }
    return new SparseExamples(count, features, newStarts, newIndices, newValues, newLabels);
  }
}
