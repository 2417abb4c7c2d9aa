package dev.espalier.data;

import java.util.Arrays;

/// Reads classification files of the LIBSVM format.
///
/// One example per line: a label, then `index:value` pairs with indices from 1; `#` starts a
/// comment.
public final class LibsvmReader {
  /// The largest feature index that is read; a larger one is taken for an error in the file.
  public static final int MAX_INDEX = 100_000_000;

  private LibsvmReader() {}

  /// Reads the examples of two classes: labels are -1 or 0, and 1; indices ascend strictly.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, empty or malformed
  public static SparseExamples read(DataFile file) {
    return read(file, new Builder(file, true));
  }

  /// Reads the examples of many classes: labels are whole numbers in [0, 255], which are kept as
  /// they are; indices may stand in any order, each once.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, empty or malformed
  public static SparseExamples readClasses(DataFile file) {
    return read(file, new Builder(file, false));
  }

  private static SparseExamples read(DataFile file, Builder examples) {
    try (var lines = new TextLines(file)) {
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
    private final DataFile file;
    private final boolean isBinary;
    private int[] starts = new int[1024];
    private byte[] labels = new byte[1024];
    private int[] indices = new int[16 * 1024];
    private float[] values = new float[16 * 1024];
    private int count;
    private int entries;
    private int features;

    /// @param isBinary whether labels are those of two classes, and indices ascend
    Builder(DataFile file, boolean isBinary) {
      this.file = file;
      this.isBinary = isBinary;
    }

    void add(TextLines lines) {
      if (count + 1 == starts.length) {
        int capacity = Capacity.larger(starts.length, count + 2L, file, "examples");
        starts = Arrays.copyOf(starts, capacity);
        labels = Arrays.copyOf(labels, capacity);
      }
      int start = entries;
      labels[count] = isBinary ? label(lines) : (byte) lines.integer("class", 0, 255);
      int previous = 0;
      if (lines.peek() != '#') {
        lines.expectBlanks(isBinary ? "label" : "class");
      }
      while (!lines.atEnd() && lines.peek() != '#') {
        previous = addEntry(lines, previous);
        lines.skipBlanks();
      }
      if (!isBinary) {
        sort(lines, start);
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
      if (isBinary && index <= previous) {
        throw lines.invalid("index must be > " + previous + ", the one before, but is " + index);
      }
      lines.expect(":", "index");
      double value = lines.decimal("value of index " + index);
      if (!Float.isFinite((float) value)) {
        throw lines.invalid("value of index " + index + " must fit a float but is " + value);
      }
      if (entries == indices.length) {
        int capacity = Capacity.larger(entries, entries + 1L, file, "values");
        indices = Arrays.copyOf(indices, capacity);
        values = Arrays.copyOf(values, capacity);
      }
      indices[entries] = index - 1;
      values[entries] = (float) value;
      entries++;
      features = Math.max(features, index);
      return index;
    }

    /// Puts the entries of the last example in the order of their indices.
    private void sort(TextLines lines, int start) {
      long[] keys = new long[entries - start];
      for (int i = 0; i < keys.length; i++) {
        keys[i] =
            ((long) indices[start + i] << 32)
                | Float.floatToRawIntBits(values[start + i]) & 0xffffffffL;
      }
      Arrays.sort(keys);
      for (int i = 0; i < keys.length; i++) {
        int index = (int) (keys[i] >>> 32);
        if (i > 0 && index == indices[start + i - 1]) {
          throw lines.invalid("index must occur once but " + (index + 1) + " occurs twice");
        }
        indices[start + i] = index;
        values[start + i] = Float.intBitsToFloat((int) keys[i]);
      }
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
