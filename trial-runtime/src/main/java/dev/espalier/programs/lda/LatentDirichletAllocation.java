package dev.espalier.programs.lda;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.BagOfWords;
import dev.espalier.data.BagOfWordsReader;
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
import org.jspecify.annotations.Nullable;

/* Latent Dirichlet allocation (Blei, Ng and Jordan 2003) by collapsed Gibbs sampling; workers sample
 * on counts of the clock's beginning and send what changed (Newman, Asuncion, Smyth and Welling
 * 2009).
 *
 *   topics       words x K    tokens of each word in each topic
 *   totals       R x K        tokens in each topic, in rows that add up: see TopicTotals
 *   assignments  one row for each 32 tokens of a document: topic + 1 of each token, 0 before its
 *                first draw
 *
 * All of them are counts that clocks add to, so a fork has its own topics. A sample is a document; it
 * belongs to one worker, for two that drew from the same counts would both add what changed.
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
  private static final int EVALUATION_BATCH = 64;

  private @Nullable Model model;

  /// What `open` makes.
  private record Model(CorpusData data, int topics, TopicBatch batch) {}

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "lda",
        "Finds the topics of documents by collapsed Gibbs sampling.",
        false,
        List.of(Argument.integer("topics", "number of topics", 20).within(1, 4096)),
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
    TopicTotals totals = TopicTotals.of(data.training());
    model = new Model(data, topics, new TopicBatch(data, rows, totals, topics));
    return new ProgramShape(
            List.of(
                TableDeclaration.sparse(TOPICS, data.vocabulary(), topics, RULE),
                TableDeclaration.dense(TOTALS, totals.rows(), topics, RULE),
                TableDeclaration.sparse(ASSIGNMENTS, rows.count(), TOKENS_PER_ROW, RULE)),
            data.training().documents(),
            DEFAULT_BATCH_SIZE)
        .dealtOut();
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] documents = documents(context);
    double lossSum =
        opened.batch.sweep(context, documents, sampler(opened, context), context.random());
    return new Progress(lossSum, documents.length);
  }

  /* A clock may go through a worker's documents more than once, and draws for each once. In ascending
   * order, so that clocks over the same documents make the same accesses. */
  private static int[] documents(ProgramContext context) {
    return Arrays.stream(context.samples()).sorted().distinct().toArray();
  }

  private static TopicSampler sampler(Model opened, ProgramContext context) {
    return new TopicSampler(opened.topics, opened.data.vocabulary(), alpha(context), beta(context));
  }

  /// Measures how well documents that need not have been trained on are completed: what a clock
  /// draws for them would be topics by chance. The loss of a document is the mean over its judged
  /// words.
  @Override
  public Progress loss(ProgramContext context) {
    Model opened = opened();
    var completion =
        DocumentCompletion.expected(opened.data.training(), opened.topics, alpha(context));
    DocumentCompletion.Topics topics =
        opened.batch.topicsOf(context, opened.data.training(), context.samples(), beta(context));
    double lossSum = 0;
    int judged = 0;
    for (int document : context.samples()) {
      DocumentCompletion.Judged part = completion.judge(document, topics);
      if (part.words() > 0) {
        lossSum += part.nats() / part.words();
        judged++;
      }
    }
    return new Progress(lossSum, judged);
  }

  /// Measures the mean negative log probability of a word in nats, by completion of the validation
  /// documents.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    BagOfWords documents = opened.data.validation();
    var completion = DocumentCompletion.sampled(documents, opened.topics, alpha(context));
    double nats = 0;
    int judged = 0;
    for (int[] batch : context.shareInBatches(0, documents.documents(), EVALUATION_BATCH)) {
      DocumentCompletion.Topics topics =
          opened.batch.topicsOf(context, documents, batch, beta(context));
      for (int document : batch) {
        DocumentCompletion.Judged part = completion.judge(document, topics);
        nats += part.nats();
        judged += part.words();
      }
    }
    return new Evaluation(Map.of(LOG_PERPLEXITY, judged == 0 ? 0 : nats / judged), judged);
  }

  private static double alpha(ProgramContext context) {
    return context.setting().valueOr(ALPHA, 0.1);
  }

  private static double beta(ProgramContext context) {
    return context.setting().valueOr(BETA, 0.01);
  }

  /// {@return the words of `topics`, where the data folder names them}
  @Override
  public List<String> rowNames(String table) {
    CorpusData data = opened().data;
    return table.equals(TOPICS)
        ? data.words()
            .map(file -> BagOfWordsReader.readVocabulary(file, data.vocabulary()))
            .orElse(List.of())
        : List.of();
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
