package dev.espalier.programs.lda;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.data.BagOfWords;
import dev.espalier.data.BagOfWordsReader;
import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// What a topic model is trained and judged on.
///
/// @param vocabulary number of words of both parts
/// @param words file that names them; empty where there is none
record CorpusData(
    BagOfWords training, BagOfWords validation, int vocabulary, Optional<DataFile> words) {
  private static final String UCI_START = "docword.";
  private static final String UCI_WORDS_START = "vocab.";
  private static final int HELD_OUT = 10;
  private static final int MOST_OF_A_WORD = 1 << 24;

  /// Reads `train.feat` and `test.feat` where the folder has them, else the one `docword.*.txt`, of
  /// which every tenth document is held back.
  static CorpusData read(DataFolder folder) {
    if (folder.find("train.feat").isPresent()) {
      return of(
          BagOfWordsReader.readLabelled(folder.require("train.feat")),
          BagOfWordsReader.readLabelled(folder.require("test.feat")));
    }
    List<String> files =
        folder.names().stream()
            .filter(name -> name.startsWith(UCI_START) && name.endsWith(".txt"))
            .toList();
    if (files.size() != 1) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          folder.path() + ": expected train.feat or one file docword.*.txt but found " + files);
    }
    String file = files.getFirst();
    return split(BagOfWordsReader.readUci(folder.require(file)))
        .withWords(folder.find(UCI_WORDS_START + file.substring(UCI_START.length())));
  }

  /// Holds back the documents `i` with `i mod 10 = 9`.
  static CorpusData split(BagOfWords all) {
    return of(
        all.select(document -> document % HELD_OUT != HELD_OUT - 1),
        all.select(document -> document % HELD_OUT == HELD_OUT - 1));
  }

  private CorpusData withWords(Optional<DataFile> file) {
    return new CorpusData(training, validation, vocabulary, file);
  }

  /// Counts are floats, which are exact to 2^24.
  private static void requireCountable(BagOfWords training) {
    int[] counts = new int[training.vocabulary()];
    for (int word : training.words()) {
      counts[word]++;
      if (counts[word] > MOST_OF_A_WORD) {
        throw new EspalierException(
            ErrorCode.INVALID_DATA,
            "a word may occur %d times in the training documents but word %d occurs more often"
                .formatted(MOST_OF_A_WORD, word + 1));
      }
    }
    for (int document = 0; document < training.documents(); document++) {
      if (training.length(document) > TopicTotals.MOST_TOKENS) {
        throw new EspalierException(
            ErrorCode.INVALID_DATA,
            "a document may have %d words but training document %d has %d"
                .formatted(TopicTotals.MOST_TOKENS, document + 1, training.length(document)));
      }
    }
  }

  private static CorpusData of(BagOfWords training, BagOfWords validation) {
    if (training.words().length == 0) {
      throw new EspalierException(ErrorCode.INVALID_DATA, "there are no words to train on");
    }
    requireCountable(training);
    if (IntStream.range(0, validation.documents()).noneMatch(i -> validation.length(i) > 1)) {
      throw new EspalierException(
          ErrorCode.INVALID_DATA,
          "no validation document has 2 or more words, half of which tell its topics and half are"
              + " judged; of docword.*.txt every tenth document is one");
    }
    return new CorpusData(
        training,
        validation,
        Math.max(training.vocabulary(), validation.vocabulary()),
        Optional.empty());
  }
}
