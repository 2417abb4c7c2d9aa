package dev.espalier.data;

import java.util.Arrays;

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
}
