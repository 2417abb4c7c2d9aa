package dev.espalier.api.rest;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/// Finds the word that somebody who mistyped probably meant.
final class Suggestion {
  private Suggestion() {}

  /// {@return `; did you mean x?`, or the list of words when none is near and they are few}
  static String sentence(String written, Collection<String> words) {
    String nearest = question(written, words);
    if (!nearest.isEmpty()) {
      return nearest;
    }
    return words.isEmpty() || words.size() > 15 ? "" : "; known are " + String.join(", ", words);
  }

  /// {@return `; did you mean x?`, or nothing when none is near}
  static String question(String written, Collection<String> words) {
    return nearest(written, words).map(word -> "; did you mean " + word + "?").orElse("");
  }

  static Optional<String> nearest(String written, Collection<String> words) {
    String plain = plain(written);
    String best = "";
    int bestDistance = Integer.MAX_VALUE;
    for (String word : words) {
      int distance = distance(plain, plain(word));
      if (distance < bestDistance) {
        best = word;
        bestDistance = distance;
      }
    }
    return bestDistance <= Math.max(1, Math.min(plain.length(), best.length()) / 3)
        ? Optional.of(best)
        : Optional.empty();
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
