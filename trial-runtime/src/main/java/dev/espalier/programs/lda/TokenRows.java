package dev.espalier.programs.lda;

import dev.espalier.data.BagOfWords;

/// Which rows of the table of assignments hold the tokens of which document.
///
/// @param firsts first row of each document, and the number of all rows behind them
record TokenRows(int[] firsts) {
  static TokenRows of(BagOfWords documents) {
    int[] firsts = new int[documents.documents() + 1];
    for (int document = 0; document < documents.documents(); document++) {
      int tokens = documents.length(document);
      int rows =
          (tokens + LatentDirichletAllocation.TOKENS_PER_ROW - 1)
              / LatentDirichletAllocation.TOKENS_PER_ROW;
      firsts[document + 1] = firsts[document] + rows;
    }
    return new TokenRows(firsts);
  }

  int first(int document) {
    return firsts[document];
  }

  int count(int document) {
    return firsts[document + 1] - firsts[document];
  }

  /// {@return number of rows of all documents}
  int count() {
    return firsts[firsts.length - 1];
  }
}
