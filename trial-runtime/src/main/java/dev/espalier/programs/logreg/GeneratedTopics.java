package dev.espalier.programs.logreg;

import dev.espalier.data.ExampleData;
import dev.espalier.data.SparseExamples;
import java.util.SplittableRandom;
import java.util.TreeMap;

/* Word counts of documents that are each about one of several topics: a topic prefers some words, a
 * few documents carry the label of another topic, and most words of a document are those that all
 * topics use.
 *
 * The stream is fixed and does not depend on the job's seed: all jobs have the same data.
 */
final class GeneratedTopics {
  private static final long SEED = 0x5EED_70_91C5L;
  private static final int TOPICS = 12;
  private static final int WORDS = 1500;
  private static final int PREFERRED = 80;
  private static final int SHORTEST = 20;
  private static final int LONGEST = 120;
  private static final int TRAINING_DOCUMENTS = 6_000;
  private static final int VALIDATION_DOCUMENTS = 2_000;
  private static final double ABOUT_THE_TOPIC = 0.12;
  private static final double WRONG_LABEL = 0.05;

  private final SplittableRandom random = new SplittableRandom(SEED);
  private final int[][] preferred = new int[TOPICS][PREFERRED];

  private GeneratedTopics() {
    for (int[] words : preferred) {
      for (int i = 0; i < words.length; i++) {
        words[i] = random.nextInt(WORDS);
      }
    }
  }

  static ExampleData generate() {
    var generator = new GeneratedTopics();
    return new ExampleData(
        generator.documents(TRAINING_DOCUMENTS), generator.documents(VALIDATION_DOCUMENTS));
  }

  private SparseExamples documents(int count) {
    int[] starts = new int[count + 1];
    int[] indices = new int[count * LONGEST];
    float[] values = new float[count * LONGEST];
    byte[] labels = new byte[count];
    int entries = 0;
    for (int document = 0; document < count; document++) {
      int topic = random.nextInt(TOPICS);
      for (var word : words(topic).entrySet()) {
        indices[entries] = word.getKey();
        values[entries] = word.getValue();
        entries++;
      }
      boolean isWrong = random.nextDouble() < WRONG_LABEL;
      labels[document] = (byte) (isWrong ? random.nextInt(TOPICS) : topic);
      starts[document + 1] = entries;
    }
    return new SparseExamples(count, WORDS, starts, indices, values, labels);
  }

  private TreeMap<Integer, Integer> words(int topic) {
    var counts = new TreeMap<Integer, Integer>();
    int length = random.nextInt(SHORTEST, LONGEST + 1);
    for (int i = 0; i < length; i++) {
      double rank = random.nextDouble();
      int word =
          random.nextDouble() < ABOUT_THE_TOPIC
              ? preferred[topic][(int) (PREFERRED * rank * rank)]
              : (int) (WORDS * rank * rank);
      counts.merge(word, 1, Integer::sum);
    }
    return counts;
  }
}
