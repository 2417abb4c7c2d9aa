package dev.espalier.data;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/// Reads bags of words in two common forms.
///
/// UCI: three lines with the numbers of documents, words and pairs, then lines `document word
/// count` with numbers from 1, documents in ascending order. Labelled: one line per document, a
/// class number and then `word:count` with words from 1.
public final class BagOfWordsReader {
  /// The largest vocabulary that is read.
  public static final int MAX_WORDS = 10_000_000;

  private static final int MAX_DOCUMENTS = 100_000_000;
  private static final int MAX_COUNT = 1_000_000;

  private BagOfWordsReader() {}

  /// Reads a file in UCI's form; a document without words stays, empty.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off or malformed
  public static BagOfWords readUci(DataFile file) {
    try (var lines = new TextLines(file)) {
      int documents = header(file, lines, "number of documents", MAX_DOCUMENTS);
      int words = header(file, lines, "number of words", MAX_WORDS);
      int pairs = header(file, lines, "number of pairs", Integer.MAX_VALUE);
      var builder = new BagOfWords.Builder(file);
      int read = 0;
      while (lines.next()) {
        int document = lines.integer("document", 1, documents);
        if (document <= builder.documents()) {
          throw lines.invalid(
              "expected documents in ascending order but "
                  + document
                  + " comes after "
                  + (builder.documents() + 1));
        }
        while (builder.documents() < document - 1) {
          builder.endDocument();
        }
        lines.skipBlanks();
        int word = lines.integer("word", 1, words) - 1;
        lines.skipBlanks();
        builder.add(word, lines.integer("count", 1, MAX_COUNT));
        lines.expectNoMoreThan("document, word and count");
        read++;
      }
      if (read != pairs) {
        throw file.invalid("expected " + pairs + " pairs but there are " + read);
      }
      while (builder.documents() < documents) {
        builder.endDocument();
      }
      return builder.build(words);
    }
  }

  /// Reads the words of a vocabulary, one a line, in the order of their numbers.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when it is
  ///   missing, cut off or has another number of words
  public static List<String> readVocabulary(DataFile file, int words) {
    var all = new ArrayList<String>();
    eachWord(file, words, all::add);
    return all;
  }

  /// Reads a vocabulary only to know that it has as many words as it must.
  ///
  /// @throws dev.espalier.api.model.EspalierException as [#readVocabulary]
  public static void checkVocabulary(DataFile file, int words) {
    eachWord(file, words, _ -> {});
  }

  private static void eachWord(DataFile file, int words, Consumer<String> action) {
    try (var lines = new TextLines(file)) {
      int read = 0;
      while (lines.next()) {
        if (read == words) {
          throw lines.invalid("expected no more than " + words + " words, one a line");
        }
        action.accept(lines.text());
        read++;
      }
      if (read < words) {
        throw lines.invalid(
            "expected " + words + " words, one a line, but the file ends after " + read);
      }
    }
  }

  private static int header(DataFile file, TextLines lines, String what, int max) {
    if (!lines.next()) {
      throw file.invalid("expected the " + what + " but the file ends");
    }
    int number = lines.integer(what, 1, max);
    lines.expectNoMoreThan("the " + what);
    return number;
  }

  /// Reads a file of labelled documents; the labels are not kept.
  ///
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` with file and line when the
  ///   file is missing, cut off, malformed or without documents
  public static BagOfWords readLabelled(DataFile file) {
    try (var lines = new TextLines(file)) {
      var builder = new BagOfWords.Builder(file);
      int vocabulary = 0;
      while (lines.next()) {
        lines.integer("class", 0, Integer.MAX_VALUE - 1);
        lines.skipBlanks();
        while (!lines.atEnd()) {
          int word = lines.integer("word", 1, MAX_WORDS) - 1;
          lines.expect(":", "word");
          builder.add(word, lines.integer("count", 1, MAX_COUNT));
          lines.skipBlanks();
          vocabulary = Math.max(vocabulary, word + 1);
        }
        builder.endDocument();
      }
      if (builder.tokens() == 0) {
        throw file.invalid("expected documents but there are none");
      }
      return builder.build(vocabulary);
    }
  }
}
