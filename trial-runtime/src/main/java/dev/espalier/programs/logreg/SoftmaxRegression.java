package dev.espalier.programs.logreg;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.BatchRows;
import dev.espalier.data.DataFolder;
import dev.espalier.data.ExampleData;
import dev.espalier.data.LibsvmReader;
import dev.espalier.data.SparseExamples;
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

/* Logistic regression of many classes on sparse examples such as word counts.
 *
 *   z_c = b_c + sum over active features j of w_jc x_j
 *   loss of an example = log sum_c exp(z_c) - z_label,
 *                        plus l2 / 2 times sum_c w_jc^2 for each active feature
 *
 * as in SparseLogisticRegression, of which this is the generalisation to more than two classes.
 * Table `weights` is features x classes, `bias` 1 x classes; both start at zero, where the loss is
 * convex in them. Counts may be damped to log(1 + count), and rows brought to unit length.
 */
/// Classifies sparse examples of many classes, such as texts, by softmax regression.
public final class SoftmaxRegression implements TrainingProgram {
  private static final int DEFAULT_BATCH_SIZE = 64;
  private static final int EVALUATION_BATCH = 512;
  private static final String WEIGHTS = "weights";
  private static final String BIAS = "bias";
  private static final String LOG = "log";

  private @Nullable Model model;

  /// What `open` makes; the arrays grow with the largest batch.
  private static final class Model {
    private final ExampleData data;
    private final int classes;
    private final double l2;
    private final BatchRows rows;
    private final float[] bias;
    private final float[] biasGradients;
    private final double[] scores;
    private float[] weights = {};
    private float[] gradients = {};

    Model(ExampleData data, double l2) {
      this.data = data;
      this.l2 = l2;
      classes = 1 + Math.max(largest(data.training()), largest(data.validation()));
      rows = new BatchRows(data.features());
      bias = new float[classes];
      biasGradients = new float[classes];
      scores = new double[classes];
    }

    private static int largest(SparseExamples examples) {
      int largest = 0;
      for (byte label : examples.labels()) {
        largest = Math.max(largest, label & 0xff);
      }
      return largest;
    }
  }

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "softmax",
        "Classifies sparse examples of many classes, such as texts, with softmax regression.",
        false,
        List.of(
            Argument.text(
                "train",
                "training file, a class number and index:value pairs a line",
                "train.feat"),
            Argument.text("test", "file that judges the model", "test.feat"),
            Argument.choice(
                "values",
                "values as they are, or log(1 + value) in rows of unit length",
                LOG,
                List.of("plain", LOG)),
            Argument.choice("optimizer", "update rule", "adagrad", TableDeclaration.RULES),
            Argument.decimal("l2", "weight of the squared weights", 0).within(0, 10)),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-4, 1, 0.05),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(16.0, 64.0, 256.0, 1024.0), DEFAULT_BATCH_SIZE)),
        List.of(MetricSpec.maximize("accuracy"), MetricSpec.minimize("logLoss")));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    ExampleData data =
        environment
            .data()
            .map(folder -> read(new DataFolder(folder), environment))
            .orElseGet(GeneratedTopics::generate);
    if (environment.text("values").equals(LOG)) {
      damp(data.training());
      damp(data.validation());
    }
    var opened = new Model(data, environment.decimal("l2"));
    model = opened;
    String rule = environment.text("optimizer");
    return new ProgramShape(
            List.of(
                TableDeclaration.sparse(WEIGHTS, data.features(), opened.classes, rule),
                TableDeclaration.dense(BIAS, 1, opened.classes, rule)),
            data.training().count(),
            DEFAULT_BATCH_SIZE)
        .withValidationSamples(data.validation().count());
  }

  private static ExampleData read(DataFolder folder, ProgramEnvironment environment) {
    return new ExampleData(
        LibsvmReader.readClasses(folder.require(environment.text("train").strip())),
        LibsvmReader.readClasses(folder.require(environment.text("test").strip())));
  }

  /// Takes each value v as sign(v) log(1 + |v|), then brings each row to length 1.
  private static void damp(SparseExamples examples) {
    float[] values = examples.values();
    for (int example = 0; example < examples.count(); example++) {
      double squares = 0;
      int end = examples.starts()[example + 1];
      for (int entry = examples.starts()[example]; entry < end; entry++) {
        double damped = Math.copySign(Math.log1p(Math.abs(values[entry])), values[entry]);
        values[entry] = (float) damped;
        squares += damped * damped;
      }
      float scale = squares > 0 ? (float) (1 / Math.sqrt(squares)) : 0;
      for (int entry = examples.starts()[example]; entry < end; entry++) {
        values[entry] *= scale;
      }
    }
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    SparseExamples examples = opened.data.training();
    read(opened, context, examples, samples);
    Arrays.fill(opened.gradients, 0, opened.rows.count() * opened.classes, 0f);
    Arrays.fill(opened.biasGradients, 0f);
    double lossSum = 0;
    for (int sample : samples) {
      lossSum += lossAndProbabilities(opened, examples, sample);
      lossSum += addGradient(opened, examples, sample);
    }
    context.table(WEIGHTS).add(opened.rows.rows(), opened.rows.count(), opened.gradients);
    context.table(BIAS).add(0, 1, opened.biasGradients, 0);
    return new Progress(lossSum, samples.length);
  }

  @Override
  public Progress loss(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    SparseExamples examples = opened.data.training();
    read(opened, context, examples, samples);
    double lossSum = 0;
    for (int sample : samples) {
      lossSum += lossAndProbabilities(opened, examples, sample);
    }
    return new Progress(lossSum, samples.length);
  }

  private static void read(
      Model opened, ProgramContext context, SparseExamples examples, int[] samples) {
    BatchRows rows = opened.rows;
    rows.collect(examples, samples);
    int needed = rows.count() * opened.classes;
    if (opened.weights.length < needed) {
      opened.weights = new float[Math.max(needed, 2 * opened.weights.length)];
      opened.gradients = new float[opened.weights.length];
    }
    context.table(WEIGHTS).read(rows.rows(), rows.count(), opened.weights);
    context.table(BIAS).read(0, 1, opened.bias, 0);
  }

  /// Leaves the scores of an example in `scores`.
  private static void score(Model opened, SparseExamples examples, int sample) {
    double[] scores = opened.scores;
    for (int c = 0; c < scores.length; c++) {
      scores[c] = opened.bias[c];
    }
    int end = examples.starts()[sample + 1];
    for (int entry = examples.starts()[sample]; entry < end; entry++) {
      int at = opened.rows.slot(examples.indices()[entry]) * opened.classes;
      double x = examples.values()[entry];
      for (int c = 0; c < scores.length; c++) {
        scores[c] += opened.weights[at + c] * x;
      }
    }
  }

  /// Leaves the probabilities of an example in `scores`.
  ///
  /// @return its cross-entropy in nats
  private static double lossAndProbabilities(Model opened, SparseExamples examples, int sample) {
    score(opened, examples, sample);
    double[] scores = opened.scores;
    double largest = Arrays.stream(scores).max().orElse(0);
    int label = examples.labels()[sample] & 0xff;
    double ofLabel = scores[label] - largest;
    double sum = 0;
    for (int c = 0; c < scores.length; c++) {
      scores[c] = Math.exp(scores[c] - largest);
      sum += scores[c];
    }
    for (int c = 0; c < scores.length; c++) {
      scores[c] /= sum;
    }
    return Math.log(sum) - ofLabel;
  }

  /// Adds the gradient sums of the example whose probabilities stand in `scores` and returns its
  /// penalty.
  private static double addGradient(Model opened, SparseExamples examples, int sample) {
    double[] errors = opened.scores;
    errors[examples.labels()[sample] & 0xff] -= 1;
    for (int c = 0; c < errors.length; c++) {
      opened.biasGradients[c] += (float) errors[c];
    }
    double squares = 0;
    int end = examples.starts()[sample + 1];
    for (int entry = examples.starts()[sample]; entry < end; entry++) {
      int at = opened.rows.slot(examples.indices()[entry]) * opened.classes;
      double x = examples.values()[entry];
      for (int c = 0; c < errors.length; c++) {
        double weight = opened.weights[at + c];
        opened.gradients[at + c] += (float) (errors[c] * x + opened.l2 * weight);
        squares += weight * weight;
      }
    }
    return opened.l2 / 2 * squares;
  }

  /// Measures `accuracy` and `logLoss` in nats on the validation examples; worker r of W takes
  /// every example i with i mod W = r.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    SparseExamples examples = opened.data.validation();
    double lossSum = 0;
    int correct = 0;
    int judged = 0;
    for (int[] batch : context.shareInBatches(0, examples.count(), EVALUATION_BATCH)) {
      read(opened, context, examples, batch);
      for (int sample : batch) {
        double loss = lossAndProbabilities(opened, examples, sample);
        int label = examples.labels()[sample] & 0xff;
        lossSum += loss;
        correct += best(opened.scores) == label && Double.isFinite(loss) ? 1 : 0;
      }
      judged += batch.length;
    }
    int divisor = Math.max(1, judged);
    return new Evaluation(
        Map.of("accuracy", (double) correct / divisor, "logLoss", lossSum / divisor), judged);
  }

  private static int best(double[] scores) {
    int best = 0;
    for (int c = 1; c < scores.length; c++) {
      best = scores[c] > scores[best] ? c : best;
    }
    return best;
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
