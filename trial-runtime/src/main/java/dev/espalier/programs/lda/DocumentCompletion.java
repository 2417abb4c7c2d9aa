package dev.espalier.programs.lda;

import dev.espalier.data.BagOfWords;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/// Judges topics by the completion of documents that need not have been trained on: half of the
/// tokens of a document tell its mixture of topics, the other half is judged.
///
/// The mixture is sampled, as the topics were, or the expectation of such samples, which is cheaper
/// and without noise: `m_k = (alpha + sum over tokens of p_k) / (N + K alpha)`, where the `p_k` of
/// a token are proportional to `m_k` times the probability of its word: the step of CVB0 (Asuncion,
/// Welling, Smyth and Teh 2009) with topics that are given. Which tokens are which, and all that is
/// drawn, depends on the document alone, so branches are judged on the same.
final class DocumentCompletion {
  private static final int SWEEPS = 50;
  private static final int COUNTED_SWEEPS = 20;
  private static final int STEPS = 10;
  private static final long SEED = 0xC0DA;

  private final BagOfWords documents;
  private final int topics;
  private final double alpha;
  private final boolean isSampled;

  /// What words are like in the topics.
  interface Topics {
    /// {@return the probability of a word in each topic}
    double[] of(int word);
  }

  /// @param nats sum of the negative log probabilities of the words that were judged
  record Judged(double nats, int words) {}

  private DocumentCompletion(BagOfWords documents, int topics, double alpha, boolean isSampled) {
    this.documents = documents;
    this.topics = topics;
    this.alpha = alpha;
    this.isSampled = isSampled;
  }

  /// Mixtures are means over many samples.
  static DocumentCompletion sampled(BagOfWords documents, int topics, double alpha) {
    return new DocumentCompletion(documents, topics, alpha, true);
  }

  /// Mixtures are expectations.
  static DocumentCompletion expected(BagOfWords documents, int topics, double alpha) {
    return new DocumentCompletion(documents, topics, alpha, false);
  }

  /// Judges one document; of one with less than two tokens no word is judged.
  Judged judge(int document, Topics probabilities) {
    var random = new SplittableRandom(SEED + document);
    int[] words = shuffled(document, random);
    double[] mixture =
        isSampled ? sampled(words, probabilities, random) : expected(words, probabilities);
    double nats = 0;
    for (int i = 1; i < words.length; i += 2) {
      double[] ofWord = probabilities.of(words[i]);
      double probability = 0;
      for (int topic = 0; topic < topics; topic++) {
        probability += mixture[topic] * ofWord[topic];
      }
      nats -= Math.log(probability);
    }
    return new Judged(nats, words.length / 2);
  }

  private int[] shuffled(int document, SplittableRandom random) {
    int[] words =
        Arrays.copyOfRange(
            documents.words(), documents.starts()[document], documents.starts()[document + 1]);
    for (int i = words.length - 1; i > 0; i--) {
      int j = random.nextInt(i + 1);
      int swapped = words[i];
      words[i] = words[j];
      words[j] = swapped;
    }
    return words;
  }

  /// The mixture of topics of the words at even places, the mean over the last sweeps.
  private double[] sampled(int[] words, Topics probabilities, RandomGenerator random) {
    int tokens = (words.length + 1) / 2;
    int[] drawn = new int[tokens];
    int[] counts = new int[topics];
    for (int token = 0; token < tokens; token++) {
      drawn[token] = random.nextInt(topics);
      counts[drawn[token]]++;
    }
    double[] mixture = new double[topics];
    double[] cumulative = new double[topics];
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
      for (int token = 0; token < tokens; token++) {
        counts[drawn[token]]--;
        double[] ofWord = probabilities.of(words[2 * token]);
        double sum = 0;
        for (int topic = 0; topic < topics; topic++) {
          sum += (counts[topic] + alpha) * ofWord[topic];
          cumulative[topic] = sum;
        }
        double place = random.nextDouble() * sum;
        int topic = 0;
        while (topic < topics - 1 && cumulative[topic] <= place) {
          topic++;
        }
        drawn[token] = topic;
        counts[topic]++;
      }
      if (sweep >= SWEEPS - COUNTED_SWEEPS) {
        for (int topic = 0; topic < topics; topic++) {
          mixture[topic] += (counts[topic] + alpha) / (tokens + topics * alpha) / COUNTED_SWEEPS;
        }
      }
    }
    return mixture;
  }

  /// The expected mixture of topics of the words at even places.
  private double[] expected(int[] words, Topics probabilities) {
    int tokens = (words.length + 1) / 2;
    double[] mixture = new double[topics];
    Arrays.fill(mixture, 1.0 / topics);
    double[] shares = new double[topics];
    for (int step = 0; step < STEPS; step++) {
      double[] counts = new double[topics];
      for (int token = 0; token < tokens; token++) {
        double[] ofWord = probabilities.of(words[2 * token]);
        double sum = 0;
        for (int topic = 0; topic < topics; topic++) {
          shares[topic] = mixture[topic] * ofWord[topic];
          sum += shares[topic];
        }
        for (int topic = 0; topic < topics; topic++) {
          counts[topic] += shares[topic] / sum;
        }
      }
      for (int topic = 0; topic < topics; topic++) {
        mixture[topic] = (counts[topic] + alpha) / (tokens + topics * alpha);
      }
    }
    return mixture;
  }
}
