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
      DataFile train = folder.require("train.feat");
      DataFile test = folder.require("test.feat");
      BagOfWords training = BagOfWordsReader.readLabelled(train);
      BagOfWords validation = BagOfWordsReader.readLabelled(test);
      requireTrainable(training, train);
      requireCompletable(validation, test);
      return of(training, validation, Optional.empty());
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
    String name = files.getFirst();
    DataFile file = folder.require(name);
    BagOfWords all = BagOfWordsReader.readUci(file);
    BagOfWords training = training(all);
    BagOfWords validation = validation(all);
    requireTrainable(training, file);
    requireCompletable(validation, file);
    Optional<DataFile> words = folder.find(UCI_WORDS_START + name.substring(UCI_START.length()));
    words.ifPresent(found -> BagOfWordsReader.checkVocabulary(found, all.vocabulary()));
    return of(training, validation, words);
  }

  /// Holds back the documents `i` with `i mod 10 = 9`.
  static CorpusData split(BagOfWords all) {
    return of(training(all), validation(all), Optional.empty());
  }

  private static BagOfWords training(BagOfWords all) {
    return all.select(document -> document % HELD_OUT != HELD_OUT - 1);
  }

  private static BagOfWords validation(BagOfWords all) {
    return all.select(document -> document % HELD_OUT == HELD_OUT - 1);
  }

  /// Counts are floats, which are exact to 2^24.
  private static void requireTrainable(BagOfWords training, DataFile file) {
    if (training.words().length == 0) {
      throw file.invalid("there are no words to train on");
    }
    int[] counts = new int[training.vocabulary()];
    for (int word : training.words()) {
      counts[word]++;
      if (counts[word] > MOST_OF_A_WORD) {
        throw file.invalid(
            "a word may occur %d times in the training documents but word %d occurs more often"
                .formatted(MOST_OF_A_WORD, word + 1));
      }
    }
    for (int document = 0; document < training.documents(); document++) {
      if (training.length(document) > TopicTotals.MOST_TOKENS) {
        throw file.invalid(
            "a document may have %d words but training document %d has %d"
                .formatted(TopicTotals.MOST_TOKENS, document + 1, training.length(document)));
      }
    }
  }

  private static void requireCompletable(BagOfWords validation, DataFile file) {
    if (IntStream.range(0, validation.documents()).noneMatch(i -> validation.length(i) > 1)) {
      throw file.invalid(
          "no validation document has 2 or more words, half of which tell its topics and half are"
              + " judged; of docword.*.txt every tenth document is one");
    }
  }

  private static CorpusData of(
      BagOfWords training, BagOfWords validation, Optional<DataFile> words) {
    return new CorpusData(
        training, validation, Math.max(training.vocabulary(), validation.vocabulary()), words);
  }
}
