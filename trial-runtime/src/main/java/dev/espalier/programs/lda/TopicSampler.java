package dev.espalier.programs.lda;

import java.util.random.RandomGenerator;

/* Collapsed Gibbs sampling, Griffiths and Steyvers 2004, equation 5:
 *
 *   P(z = k | all others) ~ (n_wk + beta) / (n_k + V beta) * (n_dk + alpha)
 *
 * with counts that leave the token itself out.
 */
/// Draws topics of tokens from counts of topics.
final class TopicSampler {
  private final int topics;
  private final double alpha;
  private final double beta;
  private final double vocabularyBeta;
  private final double[] cumulative;
  /* 1 / (n_k + V beta). */
  private final double[] inverses;
  private double likelihood;

  TopicSampler(int topics, int vocabulary, double alpha, double beta) {
    this.topics = topics;
    this.alpha = alpha;
    this.beta = beta;
    vocabularyBeta = vocabulary * beta;
    cumulative = new double[topics];
    inverses = new double[topics];
  }

  /// Takes in the numbers of tokens of each topic.
  void totals(double[] totals) {
    for (int topic = 0; topic < topics; topic++) {
      total(topic, totals[topic]);
    }
  }

  /// Takes in that a topic has this many tokens now.
  void total(int topic, double count) {
    inverses[topic] = 1 / (Math.max(0, count) + vocabularyBeta);
  }

  /// Draws a topic.
  ///
  /// @param wordCounts tokens of the word in each topic, from `offset` on
  /// @param documentCounts tokens of the document in each topic
  int draw(float[] wordCounts, int offset, int[] documentCounts, RandomGenerator random) {
    double sum = 0;
    for (int topic = 0; topic < topics; topic++) {
      sum +=
          (Math.max(0, wordCounts[offset + topic]) + beta)
              * inverses[topic]
              * (documentCounts[topic] + alpha);
      cumulative[topic] = sum;
    }
    likelihood = sum;
    double drawn = random.nextDouble() * sum;
    int topic = 0;
    while (topic < topics - 1 && cumulative[topic] <= drawn) {
      topic++;
    }
    return topic;
  }

  /// {@return the probability of the word that was drawn for last, given all other tokens}
  ///
  /// @param others tokens of the document without the one drawn for
  double likelihood(int others) {
    return likelihood / (others + topics * alpha);
  }
}
