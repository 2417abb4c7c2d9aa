package dev.espalier.programs.lda;

import dev.espalier.data.BagOfWords;
import java.util.Arrays;
import java.util.SplittableRandom;

/// Documents of a few topics each, whose words each have a few topics.
final class GeneratedCorpus {
  private static final long SEED = 0x1DA;
  private static final int TOPICS = 10;
  private static final int TOPICS_OF_DOCUMENT = 2;
  private static final int NOISE_PERCENT = 10;

  private GeneratedCorpus() {}

  static CorpusData generate(int documents, int vocabulary, int length) {
    var random = new SplittableRandom(SEED);
    int[] starts = new int[documents + 1];
    int[] words = new int[documents * 2 * length];
    int tokens = 0;
    int wordsOfTopic = vocabulary / TOPICS;
    for (int document = 0; document < documents; document++) {
      int[] topics = random.ints(TOPICS_OF_DOCUMENT, 0, TOPICS).toArray();
      int count = 1 + random.nextInt(2 * length - 1);
      for (int i = 0; i < count; i++) {
        int topic = topics[random.nextInt(TOPICS_OF_DOCUMENT)];
        words[tokens++] =
            random.nextInt(100) < NOISE_PERCENT
                ? random.nextInt(vocabulary)
                : topic * wordsOfTopic + random.nextInt(wordsOfTopic);
      }
      starts[document + 1] = tokens;
    }
    return CorpusData.split(new BagOfWords(vocabulary, starts, Arrays.copyOf(words, tokens)));
  }
}
