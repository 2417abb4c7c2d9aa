package dev.espalier.programs.lda;

import dev.espalier.data.BagOfWords;

/// How the numbers of tokens of each topic are kept in a table of floats, which count to 2^24 only:
/// in as many rows as make each the count of fewer tokens, so that their sum is exact.
///
/// @param starts index of the first token of each document, and behind the last one
/// @param tokensPerRow tokens whose documents begin in one row's share
record TopicTotals(int[] starts, int tokensPerRow) {
  /// Of the largest document, and of the other ones that share its row.
  static final int MOST_TOKENS = 1 << 23;

  static TopicTotals of(BagOfWords documents) {
    return new TopicTotals(documents.starts(), MOST_TOKENS);
  }

  /// {@return number of rows}
  int rows() {
    return Math.max(0, starts[starts.length - 1] - 1) / tokensPerRow + 1;
  }

  /// {@return the row in which a document's tokens are counted}
  int rowOf(int document) {
    return Math.min(starts[document] / tokensPerRow, rows() - 1);
  }

  /// Adds the rows up.
  ///
  /// @param counts rows x topics
  /// @param sums receives the number of tokens of each topic
  void sum(float[] counts, double[] sums) {
    int topics = sums.length;
    for (int topic = 0; topic < topics; topic++) {
      double sum = 0;
      for (int row = 0; row < rows(); row++) {
        sum += counts[row * topics + topic];
      }
      sums[topic] = sum;
    }
  }
}
