package dev.espalier.programs.lda;

import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.INTEGER;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.BagOfWords;
import dev.espalier.data.DataFolder;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/* Latent Dirichlet allocation (Blei, Ng and Jordan 2003) by collapsed Gibbs sampling; workers sample
 * on counts of the clock's beginning and send what changed (Newman, Asuncion, Smyth and Welling
 * 2009).
 *
 *   topics       words x K    tokens of each word in each topic
 *   totals       1 x K        tokens in each topic
 *   assignments  one row for each 32 tokens of a document: topic + 1 of each token, 0 before its
 *                first draw
 *
 * All of them are counts that clocks add to, so a fork has its own topics. A sample is a document.
 */
/// Finds topics in documents and the topics of each of their words.
public final class LatentDirichletAllocation implements TrainingProgram {
  static final String TOPICS = "topics";
  static final String TOTALS = "totals";
  static final String ASSIGNMENTS = "assignments";
  static final int TOKENS_PER_ROW = 32;
  private static final String ALPHA = "alpha";
  private static final String BETA = "beta";
  private static final String LOG_PERPLEXITY = "logPerplexity";
  private static final String RULE = "add";
  private static final int DEFAULT_BATCH_SIZE = 256;
  private static final int SWEEPS = 50;
  private static final int COUNTED_SWEEPS = 20;
  private static final long COMPLETION_SEED = 0xC0DA;

  private @Nullable Model model;

  /// What `open` makes.
  private record Model(CorpusData data, int topics, TokenRows rows, TopicBatch batch) {}

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "lda",
        "Finds the topics of documents by collapsed Gibbs sampling.",
        false,
        List.of(new Argument("topics", "number of topics", INTEGER, "20", 1.0, 4096.0, List.of())),
        List.of(
            new Tunable.LogRange(ALPHA, 0.001, 10, 0.1),
            new Tunable.LogRange(BETA, 0.0001, 1, 0.01),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(64.0, 256.0, 1024.0, 4096.0), DEFAULT_BATCH_SIZE)),
        List.of(MetricSpec.minimize(LOG_PERPLEXITY)));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    CorpusData data =
        environment
            .data()
            .map(folder -> CorpusData.read(new DataFolder(folder)))
            .orElseGet(() -> GeneratedCorpus.generate(600, 500, 40));
    int topics = environment.integer("topics");
    TokenRows rows = TokenRows.of(data.training());
    model =
        new Model(
            data, topics, rows, new TopicBatch(data.training(), rows, topics, data.vocabulary()));
    return new ProgramShape(
        List.of(
            TableDeclaration.sparse(TOPICS, data.vocabulary(), topics, RULE),
            TableDeclaration.dense(TOTALS, 1, topics, RULE),
            TableDeclaration.sparse(ASSIGNMENTS, rows.count(), TOKENS_PER_ROW, RULE)),
        data.training().documents(),
        DEFAULT_BATCH_SIZE);
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] documents = documents(context, opened.data.training().documents());
    double lossSum =
        opened.batch.sweep(context, documents, sampler(opened, context), context.random());
    return new Progress(lossSum, documents.length);
  }

  /* A clock may reach into the next epoch, so that the samples of all workers name a document twice.
   * Two draws from the same counts must not both be added: each worker keeps to documents of its
   * own, and draws for each once. In ascending order, so that clocks over the same documents make
   * the same accesses. */
  private static int[] documents(ProgramContext context, int count) {
    int workers = context.workers();
    return Arrays.stream(context.samples())
        .map(sample -> sample - sample % workers + context.worker())
        .filter(document -> document < count)
        .sorted()
        .distinct()
        .toArray();
  }

  private static TopicSampler sampler(Model opened, ProgramContext context) {
    return new TopicSampler(
        opened.topics,
        opened.data.vocabulary(),
        context.setting().valueOr(ALPHA, 0.1),
        context.setting().valueOr(BETA, 0.01));
  }

  /// Measures the mean negative log probability of a word in nats, by completion of documents: half
  /// of the tokens of a validation document tell its topics, the other half is judged.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    BagOfWords documents = opened.data.validation();
    double alpha = context.setting().valueOr(ALPHA, 0.1);
    double beta = context.setting().valueOr(BETA, 0.01);
    double[][] topics = topicWords(opened, context, beta);
    double nats = 0;
    int judged = 0;
    for (int document : context.share(0, documents.documents())) {
      var random = new SplittableRandom(COMPLETION_SEED + document);
      int[] words = shuffled(documents, document, random);
      double[] mixture = mixture(opened.topics, topics, words, alpha, random);
      for (int i = 1; i < words.length; i += 2) {
        double probability = 0;
        for (int topic = 0; topic < opened.topics; topic++) {
          probability += mixture[topic] * topics[words[i]][topic];
        }
        nats -= Math.log(probability);
        judged++;
      }
    }
    return new Evaluation(Map.of(LOG_PERPLEXITY, judged == 0 ? 0 : nats / judged), judged);
  }

  /// Probability of each word in each topic.
  private static double[][] topicWords(Model opened, ProgramContext context, double beta) {
    float[] counts = context.table(TOPICS).readAll();
    float[] totals = context.table(TOTALS).readAll();
    int vocabulary = opened.data.vocabulary();
    double[][] probabilities = new double[vocabulary][opened.topics];
    for (int word = 0; word < vocabulary; word++) {
      for (int topic = 0; topic < opened.topics; topic++) {
        probabilities[word][topic] =
            (counts[word * opened.topics + topic] + beta) / (totals[topic] + vocabulary * beta);
      }
    }
    return probabilities;
  }

  private static int[] shuffled(BagOfWords documents, int document, SplittableRandom random) {
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
  private static double[] mixture(
      int topics, double[][] topicWords, int[] words, double alpha, RandomGenerator random) {
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
        double sum = 0;
        for (int topic = 0; topic < topics; topic++) {
          sum += (counts[topic] + alpha) * topicWords[words[2 * token]][topic];
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

  private Model opened() {
    if (model == null) {
      throw new IllegalStateException("the program must be opened first");
    }
    return model;
  }

  @Override
  public void close() {
    model = null;
  }
}
