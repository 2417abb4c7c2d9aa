package dev.espalier.programs.mf;

/// Where the numbers of a user or item lie in its row.
///
/// @param rank factors, the first columns, >= 1
/// @param bias column of the bias
/// @param columns all columns; those that are neither factors nor the bias stay zero
public record FactorShape(int rank, int bias, int columns) {
  private static final int LINE_FLOATS = 16;

  /// Factors and bias side by side: no float is wasted.
  public static FactorShape dense(int rank) {
    return new FactorShape(rank, rank, rank + 1);
  }

  /// Factors in whole cache lines, and the bias in the next: rows do not share lines, and vectors
  /// of any machine go into the factors without a rest.
  public static FactorShape inLines(int rank) {
    int bias = Math.ceilDiv(rank, LINE_FLOATS) * LINE_FLOATS;
    return new FactorShape(rank, bias, bias + LINE_FLOATS);
  }
}
