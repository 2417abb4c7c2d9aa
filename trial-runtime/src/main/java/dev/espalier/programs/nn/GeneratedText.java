package dev.espalier.programs.nn;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/* Sentences of an invented language: WORDS words of two to four syllables, each of which is followed
 * by one of a few others, the k-th of them with a weight of 1 / k. What there is to learn reaches
 * from the spelling of syllables to the order of words.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedText {
  private static final long SEED = 0x5EED_0F_7E87L;
  private static final int CHARACTERS = 120_000;
  private static final int WORDS = 150;
  private static final int FOLLOWERS = 6;
  private static final int LONGEST_SENTENCE = 12;
  private static final String CONSONANTS = "bdfgklmnprstvz";
  private static final String VOWELS = "aeiou";

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final List<String> words = new ArrayList<>();
  private final int[][] followers = new int[WORDS][FOLLOWERS];

  private GeneratedText() {
    for (int[] row : followers) {
      words.add(word());
      for (int i = 0; i < FOLLOWERS; i++) {
        row[i] = random.nextInt(WORDS);
      }
    }
  }

  static CharacterData generate() {
    return CharacterData.of(new GeneratedText().text().getBytes(StandardCharsets.US_ASCII));
  }

  private String word() {
    var word = new StringBuilder();
    int syllables = 2 + random.nextInt(3);
    for (int i = 0; i < syllables; i++) {
      word.append(CONSONANTS.charAt(random.nextInt(CONSONANTS.length())))
          .append(VOWELS.charAt(random.nextInt(VOWELS.length())));
    }
    return word.toString();
  }

  private String text() {
    var text = new StringBuilder(CHARACTERS);
    while (text.length() < CHARACTERS) {
      int word = random.nextInt(WORDS);
      int length = 3 + random.nextInt(LONGEST_SENTENCE - 2);
      for (int i = 0; i < length; i++) {
        text.append(words.get(word)).append(i == length - 1 ? ".\n" : " ");
        word = followers[word][follower()];
      }
    }
    return text.substring(0, CHARACTERS);
  }

  private int follower() {
    double total = 0;
    for (int i = 0; i < FOLLOWERS; i++) {
      total += 1.0 / (i + 1);
    }
    double at = random.nextDouble() * total;
    int follower = 0;
    while (at >= 1.0 / (follower + 1) && follower < FOLLOWERS - 1) {
      at -= 1.0 / (follower + 1);
      follower++;
    }
    return follower;
  }
}
