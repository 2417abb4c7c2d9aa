package dev.espalier.data;

import java.util.Arrays;

/// Reads binary classification files of the LIBSVM format.
///
/// One example per line: a label (-1 or 0, and 1), then `index:value` pairs with indices from 1 in
/// strictly ascending order; `#` starts a comment.
public final class LibsvmReader {
  /// The largest feature index that is read; a larger one is taken for an error in the file.
  public static final int MAX_INDEX = 100_000_000;

  private LibsvmReader() {}

  /// Reads all examples of a file.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, empty or malformed
  public static SparseExamples read(DataFile file) {
    try (var lines = new TextLines(file)) {
      var examples = new Builder();
      while (lines.next()) {
        if (lines.peek() != '#') {
          examples.add(lines);
        }
      }
      if (examples.count == 0) {
        throw file.invalidLine(1, "expected an example but the file has none");
      }
      return examples.build();
    }
  }

  private static final class Builder {
    private int[] starts = new int[1024];
    private byte[] labels = new byte[1024];
    private int[] indices = new int[16 * 1024];
    private float[] values = new float[16 * 1024];
    private int count;
    private int entries;
    private int features;

    void add(TextLines lines) {
      if (count + 1 == starts.length) {
        int capacity = Math.multiplyExact(2, starts.length);
        starts = Arrays.copyOf(starts, capacity);
        labels = Arrays.copyOf(labels, capacity);
      }
      labels[count] = label(lines);
      int previous = 0;
      lines.skipBlanks();
      while (!lines.atEnd() && lines.peek() != '#') {
        previous = addEntry(lines, previous);
        lines.skipBlanks();
      }
      count++;
      starts[count] = entries;
    }

    private static byte label(TextLines lines) {
      double label = lines.decimal("label");
      if (label != -1 && label != 0 && label != 1) {
        throw lines.invalid("label must be -1, 0 or 1 but is " + label);
      }
      return (byte) (label > 0 ? 1 : 0);
    }

    private int addEntry(TextLines lines, int previous) {
      int index = lines.integer("index", 1, MAX_INDEX);
      if (index <= previous) {
        throw lines.invalid("index must be > " + previous + ", the one before, but is " + index);
      }
      lines.expect(":", "index");
      float value = (float) lines.decimal("value of index " + index);
      if (!Float.isFinite(value)) {
        throw lines.invalid("value of index " + index + " must fit a float but is " + value);
      }
      if (entries == indices.length) {
        int capacity = Math.multiplyExact(2, entries);
        indices = Arrays.copyOf(indices, capacity);
        values = Arrays.copyOf(values, capacity);
      }
      indices[entries] = index - 1;
      values[entries] = value;
      entries++;
      features = Math.max(features, index);
      return index;
    }

    SparseExamples build() {
      return new SparseExamples(
          count,
          features,
          Arrays.copyOf(starts, count + 1),
          Arrays.copyOf(indices, entries),
          Arrays.copyOf(values, entries),
          Arrays.copyOf(labels, count));
    }
  }
}
