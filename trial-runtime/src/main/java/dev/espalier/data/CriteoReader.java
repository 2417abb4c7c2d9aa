package dev.espalier.data;

import java.util.Arrays;

/// Reads click logs in the form of the Criteo display advertising challenge: per line, separated by
/// tabs, a label 0 or 1, 13 whole numbers and 26 categories, each of which may be empty.
///
/// Every field becomes one active feature of value 1, so each example has 39. A number v > 2 is
/// first taken as the bin `floor(ln(v)^2)`, smaller ones as they are; then field and value are
/// hashed to a column. Two fields of an example that share a column add up there.
///
/// Source: Y. Juan, Y. Zhuang, W. Chin, the winning solution of the challenge (2014), section
/// "pre-processing"; hashing as in Weinberger et al. 2009, without the sign.
public final class CriteoReader {
  private static final int NUMBERS = 13;
  private static final int CATEGORIES = 26;
  private static final int FIELDS = NUMBERS + CATEGORIES;
  private static final int LARGE = 2;

  private CriteoReader() {}

  /// Reads all examples of a file, in the order of the file.
  ///
  /// @param columns features to hash to, >= 1
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, empty or malformed
  public static SparseExamples read(DataFile file, int columns) {
    try (var lines = new TextLines(file)) {
      var examples = new Builder(file, columns);
      while (lines.next()) {
        examples.add(lines);
      }
      if (examples.count == 0) {
        throw file.invalidLine(1, "expected an example but the file has none");
      }
      return examples.build();
    }
  }

  private static final class Builder {
    private final DataFile file;
    private final int columns;
    private final int[] active = new int[FIELDS];
    private int[] starts = new int[1024];
    private byte[] labels = new byte[1024];
    private int[] indices = new int[FIELDS * 1024];
    private float[] values = new float[FIELDS * 1024];
    private int count;
    private int entries;

    Builder(DataFile file, int columns) {
      this.file = file;
      this.columns = columns;
    }

    void add(TextLines lines) {
      if (count + 1 == starts.length) {
        starts =
            Arrays.copyOf(starts, Capacity.larger(starts.length, count + 2L, file, "examples"));
        labels = Arrays.copyOf(labels, starts.length);
      }
      if (entries + (long) FIELDS > indices.length) {
        long needed = entries + (long) FIELDS;
        indices = Arrays.copyOf(indices, Capacity.larger(indices.length, needed, file, "values"));
        values = Arrays.copyOf(values, indices.length);
      }
      labels[count] = (byte) lines.integer("label", 0, 1);
      for (int field = 0; field < FIELDS; field++) {
        lines.expect("\t", field == 0 ? "label" : "field " + field);
        active[field] =
            column(field, field < NUMBERS ? binOf(number(lines, field)) : category(lines));
      }
      if (!lines.atEnd()) {
        throw lines.invalid("expected " + FIELDS + " fields after the label but there are more");
      }
      addActive();
      count++;
      starts[count] = entries;
    }

    private static long number(TextLines lines, int field) {
      return lines.peek() == '\t'
          ? Long.MIN_VALUE
          : lines.integer("field " + (field + 1), Integer.MIN_VALUE + 1, Integer.MAX_VALUE);
    }

    private static long binOf(long value) {
      if (value <= LARGE) {
        return value;
      }
      double logarithm = Math.log(value);
      // Bins of large numbers must not meet the small numbers that stand for themselves.
      return LARGE + 1 + (long) (logarithm * logarithm);
    }

    /// FNV-1a of the field's bytes.
    private static long category(TextLines lines) {
      long hash = 0xcbf29ce484222325L;
      for (int next = lines.peek(); next >= 0 && next != '\t'; next = lines.peek()) {
        hash = (hash ^ next) * 0x100000001b3L;
        lines.skip();
      }
      return hash;
    }

    private int column(int field, long value) {
      long mixed = value * 0x9e3779b97f4a7c15L + field;
      mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
      mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
      return (int) Long.remainderUnsigned(mixed ^ (mixed >>> 31), columns);
    }

    private void addActive() {
      Arrays.sort(active);
      for (int i = 0; i < FIELDS; i++) {
        if (i > 0 && active[i] == active[i - 1]) {
          values[entries - 1] += 1;
        } else {
          indices[entries] = active[i];
          values[entries] = 1;
          entries++;
        }
      }
    }

    SparseExamples build() {
      return new SparseExamples(
          count,
          columns,
          Arrays.copyOf(starts, count + 1),
          Arrays.copyOf(indices, entries),
          Arrays.copyOf(values, entries),
          Arrays.copyOf(labels, count));
    }
  }
}
