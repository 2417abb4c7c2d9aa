package dev.espalier.programs.lda;

import dev.espalier.data.BagOfWords;
import dev.espalier.data.BatchRows;
import dev.espalier.sdk.ProgramContext;
import java.util.Arrays;
import java.util.random.RandomGenerator;

/// One clock's documents: reads the counts that they need, draws new topics, adds what changed.
final class TopicBatch {
  private final BagOfWords documents;
  private final TokenRows tokenRows;
  private final int topics;
  private final BatchRows words;
  private final int[] documentCounts;
  private long[] rows = {};
  private float[] tokens = {};
  private float[] tokenChanges = {};
  private float[] counts = {};
  private float[] countChanges = {};
  private final int vocabulary;
  private final TopicTotals totalRows;
  private final float[] totalCounts;
  private final float[] totalChanges;
  private final double[] totals;

  TopicBatch(CorpusData data, TokenRows tokenRows, TopicTotals totalRows, int topics) {
    documents = data.training();
    vocabulary = data.vocabulary();
    this.tokenRows = tokenRows;
    this.totalRows = totalRows;
    this.topics = topics;
    words = new BatchRows(vocabulary);
    documentCounts = new int[topics];
    totalCounts = new float[totalRows.rows() * topics];
    totalChanges = new float[totalCounts.length];
    totals = new double[topics];
  }

  /// Draws a topic for every token of some documents.
  ///
  /// @return sum over the documents of the mean negative log probability of a token, in nats
  double sweep(ProgramContext context, int[] chosen, TopicSampler sampler, RandomGenerator random) {
    int rowCount = read(context, chosen);
    sampler.totals(totals);
    double lossSum = 0;
    int at = 0;
    for (int document : chosen) {
      lossSum += sweep(document, at, sampler, random);
      at += tokenRows.count(document) * LatentDirichletAllocation.TOKENS_PER_ROW;
    }
    context.table(LatentDirichletAllocation.ASSIGNMENTS).add(rows, rowCount, tokenChanges);
    context.table(LatentDirichletAllocation.TOPICS).add(words.rows(), words.count(), countChanges);
    context.table(LatentDirichletAllocation.TOTALS).addAll(totalChanges);
    return lossSum;
  }

  private int read(ProgramContext context, int[] chosen) {
    words.clear();
    int rowCount = 0;
    for (int document : chosen) {
      collectWords(documents, document);
      int count = tokenRows.count(document);
      if (rows.length < rowCount + count) {
        rows = Arrays.copyOf(rows, Math.max(rowCount + count, 2 * rows.length));
      }
      for (int row = 0; row < count; row++) {
        rows[rowCount++] = tokenRows.first(document) + row;
      }
    }
    int tokenCount = rowCount * LatentDirichletAllocation.TOKENS_PER_ROW;
    if (tokens.length < tokenCount) {
      tokens = new float[tokenCount];
      tokenChanges = new float[tokenCount];
    }
    if (counts.length < words.count() * topics) {
      counts = new float[words.count() * topics];
      countChanges = new float[counts.length];
    }
    context.table(LatentDirichletAllocation.ASSIGNMENTS).read(rows, rowCount, tokens);
    context.table(LatentDirichletAllocation.TOPICS).read(words.rows(), words.count(), counts);
    readTotals(context);
    Arrays.fill(tokenChanges, 0, tokenCount, 0);
    Arrays.fill(countChanges, 0, words.count() * topics, 0);
    Arrays.fill(totalChanges, 0);
    return rowCount;
  }

  private void collectWords(BagOfWords of, int document) {
    for (int i = of.starts()[document]; i < of.starts()[document + 1]; i++) {
      words.slot(of.words()[i]);
    }
  }

  private void readTotals(ProgramContext context) {
    context.table(LatentDirichletAllocation.TOTALS).read(0, totalRows.rows(), totalCounts, 0);
    totalRows.sum(totalCounts, totals);
  }

  /// {@return the topics of the words of some documents, as they are now; good until this batch is
  /// used again}
  ///
  /// @param of training or other documents
  DocumentCompletion.Topics topicsOf(
      ProgramContext context, BagOfWords of, int[] chosen, double beta) {
    words.clear();
    Arrays.stream(chosen).forEach(document -> collectWords(of, document));
    float[] read = new float[words.count() * topics];
    context.table(LatentDirichletAllocation.TOPICS).read(words.rows(), words.count(), read);
    readTotals(context);
    double[][] probabilities = new double[words.count()][topics];
    for (int slot = 0; slot < probabilities.length; slot++) {
      for (int topic = 0; topic < topics; topic++) {
        probabilities[slot][topic] =
            (read[slot * topics + topic] + beta) / (totals[topic] + vocabulary * beta);
      }
    }
    return word -> probabilities[words.slot(word)];
  }

  private double sweep(int document, int at, TopicSampler sampler, RandomGenerator random) {
    int start = documents.starts()[document];
    int length = documents.length(document);
    if (length == 0) {
      return 0;
    }
    Arrays.fill(documentCounts, 0);
    int totalRow = totalRows.rowOf(document) * topics;
    int known = 0;
    for (int i = 0; i < length; i++) {
      int topic = (int) tokens[at + i] - 1;
      if (topic >= 0) {
        documentCounts[topic]++;
        known++;
      }
    }
    double nats = 0;
    for (int i = 0; i < length; i++) {
      int word = words.slot(documents.words()[start + i]) * topics;
      int before = (int) tokens[at + i] - 1;
      if (before >= 0) {
        count(word, before, -1, totalRow, sampler);
        known--;
      }
      int drawn = sampler.draw(counts, word, documentCounts, random);
      // Tokens begin in topics by chance: from first draws the sampler would not find its way out.
      int topic = before < 0 ? random.nextInt(topics) : drawn;
      nats -= Math.log(sampler.likelihood(known));
      count(word, topic, 1, totalRow, sampler);
      known++;
      tokenChanges[at + i] = topic - before;
    }
    return nats / length;
  }

  private void count(int word, int topic, int change, int totalRow, TopicSampler sampler) {
    documentCounts[topic] += change;
    counts[word + topic] += change;
    countChanges[word + topic] += change;
    totals[topic] += change;
    totalChanges[totalRow + topic] += change;
    sampler.total(topic, totals[topic]);
  }
}
