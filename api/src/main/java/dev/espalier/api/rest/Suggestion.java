package dev.espalier.api.rest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Finds the word that somebody who mistyped probably meant.
public final class Suggestion {
  private Suggestion() {}

  /// {@return `; did you mean x?`, or the list of words when none is near and they are few}
  ///
  /// @param written what was not known
  /// @param words those that are
  /// @param deeper words that stand elsewhere, each with the way to it (`tuning.stop.best`), of
  ///   which the nearest are named where none of `words` is near
  public static String sentence(
      String written, Collection<String> words, Collection<String> deeper) {
    List<String> near = nearest(written, words).map(List::of).orElseGet(List::of);
    if (near.isEmpty()) {
      near = allNearest(written, deeper, word -> word.substring(word.lastIndexOf('.') + 1));
    }
    if (!near.isEmpty()) {
      return question(near);
    }
    return words.isEmpty() || words.size() > 15 ? "" : "; known are " + String.join(", ", words);
  }

  /// {@return `; did you mean x?`, or nothing when none is near}
  static String question(String written, Collection<String> words) {
    return nearest(written, words).map(word -> question(List.of(word))).orElse("");
  }

  private static String question(List<String> near) {
    return "; did you mean " + String.join(" or ", near) + "?";
  }

  static Optional<String> nearest(String written, Collection<String> words) {
    return allNearest(written, words, word -> word).stream().findFirst();
  }

  /// {@return the words of the same least distance; empty when that is too far}
  private static List<String> allNearest(
      String written, Collection<String> words, UnaryOperator<String> part) {
    String plain = plain(written);
    var best = new ArrayList<String>();
    int bestDistance = Integer.MAX_VALUE;
    for (String word : words) {
      String known = plain(part.apply(word));
      int distance = distance(plain, known);
      if (distance > Math.max(1, Math.min(plain.length(), known.length()) / 3)) {
        continue;
      }
      if (distance < bestDistance) {
        best.clear();
        bestDistance = distance;
      }
      if (distance == bestDistance) {
        best.add(word);
      }
    }
    return best;
  }

  private static String plain(String word) {
    String cut = word.length() > 64 ? word.substring(0, 64) : word;
    return cut.toLowerCase(Locale.ROOT).replace("_", "").replace("-", "");
  }

  /*
   * Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours.
   */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      d[i][0] = i;
    }
    for (int j = 0; j <= b.length(); j++) {
      d[0][j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
