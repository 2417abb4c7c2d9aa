package dev.espalier.programs.logreg;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.BatchRows;
import dev.espalier.data.DataFolder;
import dev.espalier.data.ExampleData;
import dev.espalier.data.SparseExamples;
import dev.espalier.programs.binary.BinaryModel;
import dev.espalier.programs.binary.BinaryTally;
import dev.espalier.programs.binary.LogLoss;
import dev.espalier.programs.lockfree.SampleSgd;
import dev.espalier.programs.lockfree.SampleThreads;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.OpenRows;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/* Logistic regression on sparse examples.
 *
 *   z = b + sum over active features j of w_j x_j
 *   loss of an example = log(1 + exp(-z)) for label 1, log(1 + exp(z)) for label 0,
 *                        plus l2 / 2 times w_j^2 for each active feature
 *
 * so the L2 penalty of a weight grows with how often its feature occurs, and only touched rows are
 * read and added. The L1 penalty is not part of the loss: the proximal rules apply it at the
 * server, where it makes weights exactly zero. Table `weights` is features x 1; the intercept is a
 * table of its own, `bias`, because no penalty may touch it.
 *
 * With an update rule a clock is one step; with `sample-sgd` it is as many as it has examples: see
 * LogisticSteps. Examples are shuffled once, when they are read, and come in runs then.
 */
/// Classifies sparse examples by logistic regression.
public final class SparseLogisticRegression implements TrainingProgram {
  private static final int DEFAULT_BATCH_SIZE = 128;
  private static final double INITIAL_DEVIATION = 1e-3;
  private static final int ASSIGNED_ROWS = 65_536;
  private static final String WEIGHTS = "weights";
  private static final String BIAS = "bias";
  private static final String PROXIMAL = "proximal-";

  /* See the note on `adarevision` in MatrixFactorization: the rule's own start is too large for
   * gradients that are means over a batch. */
  private static final double INITIAL_ACCUMULATOR = 1e-8;

  private static final int SAMPLE_SGD_BATCH_SIZE = 2048;

  /// Examples that lie side by side and are visited together; runs come in random order.
  private static final int SAMPLES_PER_RUN = 128;

  private @Nullable Model model;

  /// What `open` makes; the arrays grow with the largest batch.
  private static final class Model implements BinaryModel {
    private final long seed;
    private final ExampleData data;
    private final double l2;
    private final Optional<SampleThreads> threads;
    private final BatchRows rows;
    private final float[] bias = new float[1];
    private float[] weights = {};
    private float[] gradients = {};

    /// @param threads empty where the server steps, once a clock
    Model(long seed, ExampleData data, double l2, Optional<SampleThreads> threads) {
      this.seed = seed;
      this.data = data;
      this.l2 = l2;
      this.threads = threads;
      rows = new BatchRows(data.features());
    }

    @Override
    public void read(ProgramContext context, SparseExamples examples, int[] samples) {
      rows.collect(examples, samples);
      if (weights.length < rows.count()) {
        weights = new float[Math.max(rows.count(), 2 * weights.length)];
        gradients = new float[weights.length];
      }
      context.table(WEIGHTS).read(rows.rows(), rows.count(), weights);
      context.table(BIAS).read(0, 1, bias, 0);
    }

    @Override
    public double score(SparseExamples examples, int sample) {
      double z = bias[0];
      int end = examples.starts()[sample + 1];
      for (int entry = examples.starts()[sample]; entry < end; entry++) {
        int slot = rows.slot(examples.indices()[entry]);
        z += (double) weights[slot] * examples.values()[entry];
      }
      return z;
    }
  }

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "logreg",
        "Classifies sparse examples with logistic regression.",
        false,
        List.of(
            Argument.text(
                "train",
                "LIBSVM file of the data folder; empty for the only x that has an x.t beside it",
                ""),
            Argument.text(
                "test",
                "LIBSVM file that judges the model; empty for the training file's name with .t",
                ""),
            SampleSgd.optimizer("update rule of a clock", "example", "proximal-adagrad"),
            SampleSgd.threads("without locks: more than 1 make runs differ"),
            Argument.decimal("l1", "weight of the L1 norm; proximal rules only", 0).within(0, 10),
            Argument.decimal("l2", "weight of the squared weights", 0).within(0, 10)),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-4, 1, 0.05),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(32.0, 128.0, 512.0, 2048.0), DEFAULT_BATCH_SIZE)),
        BinaryTally.METRICS);
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    String rule = environment.text("optimizer");
    double l1 = environment.decimal("l1");
    if (l1 > 0 && !rule.startsWith(PROXIMAL)) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "l1 must be 0 unless the optimizer is proximal-sgd or proximal-adagrad but l1 is %s and the optimizer %s"
              .formatted(l1, rule));
    }
    Optional<SampleThreads> threads = SampleSgd.chosen(environment);
    boolean isSampleWise = threads.isPresent();
    ExampleData read =
        environment
            .data()
            .map(folder ->
                ExampleData.read(
                    new DataFolder(folder), environment.text("train"), environment.text("test")))
            .orElseGet(GeneratedExamples::generate);
    ExampleData data =
        isSampleWise ? new ExampleData(read.training().shuffled(), read.validation()) : read;
    model = new Model(environment.seed(), data, environment.decimal("l2"), threads);
    TableDeclaration weights = SampleSgd.table(WEIGHTS, data.features(), 1, rule);
    var bias = TableDeclaration.dense(BIAS, 1, 1, SampleSgd.tableRule(rule));
    if (rule.startsWith(PROXIMAL)) {
      weights = weights.with("l1", l1);
    } else if (rule.equals("adarevision")) {
      weights = weights.with("initialAccumulator", INITIAL_ACCUMULATOR);
      bias = bias.with("initialAccumulator", INITIAL_ACCUMULATOR);
    }
    int samples = data.training().count();
    ProgramShape shape =
        isSampleWise
            ? new ProgramShape(List.of(weights, bias), samples, SAMPLE_SGD_BATCH_SIZE)
                .inRunsOf(SAMPLES_PER_RUN)
            : new ProgramShape(List.of(weights, bias), samples, DEFAULT_BATCH_SIZE);
    return shape.withValidationSamples(data.validation().count());
  }

  /// Draws weights from N(0, 0.001^2); the intercept starts at 0.
  @Override
  public void initialise(ProgramContext context) {
    Model opened = opened();
    var random = new SplittableRandom(opened.seed);
    float[] values = new float[ASSIGNED_ROWS];
    int features = opened.data.features();
    for (int row = 0; row < features; row += ASSIGNED_ROWS) {
      int count = Math.min(ASSIGNED_ROWS, features - row);
      for (int i = 0; i < count; i++) {
        values[i] = (float) (INITIAL_DEVIATION * random.nextGaussian());
      }
      context.table(WEIGHTS).assign(row, count, values, 0);
    }
    context.table(BIAS).assign(0, 1, new float[1], 0);
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    SparseExamples examples = opened.data.training();
    if (opened.threads.isPresent()) {
      return stepBySample(opened, opened.threads.get(), context);
    }
    opened.read(context, examples, samples);
    Arrays.fill(opened.gradients, 0, opened.rows.count(), 0f);
    double lossSum = 0;
    float biasGradient = 0;
    for (int sample : samples) {
      double z = opened.score(examples, sample);
      double gradient = LogLoss.sigmoid(z) - examples.labels()[sample];
      lossSum +=
          LogLoss.of(z, examples.labels()[sample])
              + addGradient(opened, examples, sample, gradient);
      biasGradient += (float) gradient;
    }
    context.table(WEIGHTS).add(opened.rows.rows(), opened.rows.count(), opened.gradients);
    context.table(BIAS).add(0, 1, new float[] {biasGradient}, 0);
    int[] next = context.nextSamples();
    if (next.length > 0) {
      opened.rows.collect(examples, next);
      context.table(WEIGHTS).announce(opened.rows.rows(), opened.rows.count());
    }
    return new Progress(lossSum, samples.length);
  }

  private static Progress stepBySample(
      Model opened, SampleThreads threads, ProgramContext context) {
    int[] samples = context.samples();
    SparseExamples examples = opened.data.training();
    float rate = (float) context.learningRate();
    float l2 = (float) opened.l2;
    try (OpenRows weights = context.table(WEIGHTS).open(() -> touched(opened, examples, samples));
        OpenRows bias = context.table(BIAS).open(() -> new long[1])) {
      double lossSum =
          threads.sum(
              samples.length,
              (from, to) ->
                  LogisticSteps.take(weights, bias, examples, samples, from, to, rate, l2));
      return new Progress(lossSum, samples.length);
    }
  }

  private static long[] touched(Model opened, SparseExamples examples, int[] samples) {
    opened.rows.collect(examples, samples);
    return Arrays.copyOf(opened.rows.rows(), opened.rows.count());
  }

  @Override
  public Progress loss(ProgramContext context) {
    Model opened = opened();
    return opened.loss(context, opened.data.training());
  }

  /// Adds an example's gradient sums and returns its L2 penalty.
  private static double addGradient(
      Model opened, SparseExamples examples, int sample, double gradient) {
    double squares = 0;
    int end = examples.starts()[sample + 1];
    for (int entry = examples.starts()[sample]; entry < end; entry++) {
      int slot = opened.rows.slot(examples.indices()[entry]);
      double weight = opened.weights[slot];
      opened.gradients[slot] += (float) (gradient * examples.values()[entry] + opened.l2 * weight);
      squares += weight * weight;
    }
    return opened.l2 / 2 * squares;
  }

  /// Measures `logLoss` in nats and `accuracy` on the validation examples; worker r of W takes
  /// every example i with i mod W = r.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    return opened.evaluate(context, opened.data.validation());
  }

  private Model opened() {
    if (model == null) {
      throw new IllegalStateException("the program must be opened first");
    }
    return model;
  }

  @Override
  public void close() {
    if (model != null) {
      model.threads.ifPresent(SampleThreads::close);
    }
    model = null;
  }
}
