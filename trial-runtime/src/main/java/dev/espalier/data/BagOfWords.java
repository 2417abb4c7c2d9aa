package dev.espalier.data;

import java.util.Arrays;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/// Documents as the words in them, without their order.
///
/// @param vocabulary number of different words, >= 1
/// @param starts index in `words` of the first token of each document, and behind the last one
/// @param words word of each token, in [0, vocabulary)
public record BagOfWords(int vocabulary, int[] starts, int[] words) {

  /// {@return number of documents}
  public int documents() {
    return starts.length - 1;
  }

  /// {@return number of tokens of a document}
  public int length(int document) {
    return starts[document + 1] - starts[document];
  }

  /// {@return the documents whose index is accepted, in their order}
  public BagOfWords select(IntPredicate isWanted) {
    int[] chosen = IntStream.range(0, documents()).filter(isWanted).toArray();
    int[] newStarts = new int[chosen.length + 1];
    for (int i = 0; i < chosen.length; i++) {
      newStarts[i + 1] = newStarts[i] + length(chosen[i]);
    }
    int[] newWords = new int[newStarts[chosen.length]];
    for (int i = 0; i < chosen.length; i++) {
      System.arraycopy(words, starts[chosen[i]], newWords, newStarts[i], length(chosen[i]));
    }
    return new BagOfWords(vocabulary, newStarts, newWords);
  }

  /// Collects documents.
  static final class Builder {
    private final DataFile file;
    private int[] starts = new int[1024];
    private int[] words = new int[1 << 14];
    private int documents;
    private int tokens;

    /// @param file that the documents come from, for messages
    Builder(DataFile file) {
      this.file = file;
    }

    /// Adds tokens to the document that is being collected.
    void add(int word, int count) {
      if (words.length - tokens < count) {
        words =
            Arrays.copyOf(
                words, Capacity.larger(words.length, (long) tokens + count, file, "words"));
      }
      Arrays.fill(words, tokens, tokens + count, word);
      tokens += count;
    }

    /// {@return number of tokens so far}
    int tokens() {
      return tokens;
    }

    /// {@return number of complete documents}
    int documents() {
      return documents;
    }

    /// Ends a document.
    void endDocument() {
      documents++;
      if (documents == starts.length) {
        starts =
            Arrays.copyOf(
                starts, Capacity.larger(starts.length, documents + 1L, file, "documents"));
      }
      starts[documents] = tokens;
    }

    BagOfWords build(int vocabulary) {
      return new BagOfWords(
          vocabulary, Arrays.copyOf(starts, documents + 1), Arrays.copyOf(words, tokens));
    }
  }
}
