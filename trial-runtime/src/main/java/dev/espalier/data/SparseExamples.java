package dev.espalier.data;

/// Binary labelled examples whose features are mostly zero, row by row.
///
/// @param count how many examples, >= 1
/// @param features one more than the largest feature number
/// @param starts count + 1 positions: example i owns [starts[i], starts[i + 1]) of the next two
/// @param indices feature numbers from 0, strictly ascending within an example
/// @param values feature values, finite
/// @param labels 0 or 1 for each example
public record SparseExamples(
    int count, int features, int[] starts, int[] indices, float[] values, byte[] labels) {}
