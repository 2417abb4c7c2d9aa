package dev.espalier.programs.fm;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.BatchRows;
import dev.espalier.data.CriteoReader;
import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import dev.espalier.data.ExampleData;
import dev.espalier.data.SparseExamples;
import dev.espalier.programs.binary.BinaryModel;
import dev.espalier.programs.binary.BinaryTally;
import dev.espalier.programs.binary.LogLoss;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/* A factorization machine of degree 2 for two classes (S. Rendle, Factorization Machines, ICDM 2010,
 * equations 1 and 5, lemma 3.1):
 *
 *   z = b + sum_j w_j x_j + 1/2 sum_f [ (sum_j v_jf x_j)^2 - sum_j (v_jf x_j)^2 ]
 *   loss of an example = log(1 + exp(-z)) for label 1, log(1 + exp(z)) for label 0,
 *                        plus l2 / 2 times w_j^2 + |v_j|^2 for each active feature
 *
 *   dz/dw_j = x_j,  dz/dv_jf = x_j (sum_i v_if x_i - v_jf x_j)
 *
 * Table `features` is features x (rank + 1): the factors of a feature and, in the last column, its
 * weight; the intercept is the table `bias`, because no penalty may touch it. An example costs
 * O(active features x rank).
 */
/// Classifies sparse examples with a factorization machine.
public final class FactorizationMachine implements TrainingProgram {
  private static final int DEFAULT_BATCH_SIZE = 128;

  /// The largest power of two that an array can have.
  private static final int MOST_VALUES = 1 << 30;

  private static final int VALIDATION_PART = 5;
  private static final int ASSIGNED_ROWS = 8192;
  private static final String FEATURES = "features";
  private static final String BIAS = "bias";
  private static final String CRITEO = "criteo";

  private @Nullable Model model;

  /// What `open` makes; the arrays grow with the largest batch.
  private static final class Model implements BinaryModel {
    private final long seed;
    private final ExampleData data;
    private final int rank;
    private final double l2;
    private final double initialDeviation;
    private final BatchRows rows;
    private final float[] bias = new float[1];
    private final double[] sums;
    private float[] values = {};
    private float[] gradients = {};

    Model(ProgramEnvironment environment, ExampleData data) {
      this.seed = environment.seed();
      this.data = data;
      rank = environment.integer("rank");
      l2 = environment.decimal("l2");
      initialDeviation = environment.decimal("initialDeviation");
      rows = new BatchRows(data.features());
      sums = new double[rank];
    }

    /// Rows have `rank` columns more than those of a linear model.
    @Override
    public int evaluationBatch() {
      return 1024;
    }

    @Override
    public void read(ProgramContext context, SparseExamples examples, int[] samples) {
      rows.collect(examples, samples);
      int needed = valuesOf(rows.count());
      if (values.length < needed) {
        values = new float[Math.max(needed, (int) Math.min(MOST_VALUES, 2L * values.length))];
        gradients = new float[values.length];
      }
      context.table(FEATURES).read(rows.rows(), rows.count(), values);
      context.table(BIAS).read(0, 1, bias, 0);
    }

    /// Scores an example, and leaves `sum_j v_jf x_j` of each factor in `sums`.
    @Override
    public double score(SparseExamples examples, int sample) {
      Arrays.fill(sums, 0);
      double z = bias[0];
      double squares = 0;
      int end = examples.starts()[sample + 1];
      for (int entry = examples.starts()[sample]; entry < end; entry++) {
        int at = rows.slot(examples.indices()[entry]) * columns();
        double x = examples.values()[entry];
        for (int f = 0; f < rank; f++) {
          double term = values[at + f] * x;
          sums[f] += term;
          squares += term * term;
        }
        z += values[at + rank] * x;
      }
      double squaredSums = 0;
      for (int f = 0; f < rank; f++) {
        squaredSums += sums[f] * sums[f];
      }
      return z + (squaredSums - squares) / 2;
    }

    private int valuesOf(int features) {
      if ((long) features * columns() > MOST_VALUES) {
        throw new EspalierException(
            ErrorCode.PROGRAM_FAILED,
            "examples that are read at once have %d features with %d values each, and at most %d"
                    .formatted(features, columns(), MOST_VALUES)
                + " values fit into an array: take a smaller batchSize, rank or hashBits");
      }
      return features * columns();
    }

    int columns() {
      return rank + 1;
    }
  }

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "fm",
        "Classifies sparse examples, such as clicks, with a factorization machine.",
        false,
        List.of(
            Argument.choice(
                "format",
                "form of the files: click logs as of the Criteo challenge, or LIBSVM",
                CRITEO,
                List.of(CRITEO, "libsvm")),
            Argument.text(
                "train",
                "training file; empty for the folder's only file, or the only x that has an x.t",
                ""),
            Argument.text(
                "test",
                "file that judges the model; empty for the last fifth of a click log, or x.t",
                ""),
            Argument.integer("hashBits", "click logs are hashed to 2 to this power columns", 18)
                .within(4, 26),
            Argument.integer("rank", "factors per feature", 8).within(0, 1024),
            Argument.decimal("initialDeviation", "deviation of the initial factors", 0.01)
                .within(0, 10),
            Argument.choice("optimizer", "update rule", "adagrad", TableDeclaration.RULES),
            Argument.decimal("l2", "weight of the squared weights and factors", 0.0001)
                .within(0, 10)),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-4, 1, 0.05),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(32.0, 128.0, 512.0, 2048.0), DEFAULT_BATCH_SIZE)),
        BinaryTally.METRICS);
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    ExampleData data =
        environment
            .data()
            .map(folder -> read(new DataFolder(folder), environment))
            .orElseGet(GeneratedClicks::generate);
    var opened = new Model(environment, data);
    model = opened;
    String rule = environment.text("optimizer");
    return new ProgramShape(
            List.of(
                TableDeclaration.sparse(FEATURES, data.features(), opened.columns(), rule),
                TableDeclaration.dense(BIAS, 1, 1, rule)),
            data.training().count(),
            DEFAULT_BATCH_SIZE)
        .withValidationSamples(data.validation().count());
  }

  private static ExampleData read(DataFolder folder, ProgramEnvironment environment) {
    String train = environment.text("train");
    String test = environment.text("test");
    if (!environment.text("format").equals(CRITEO)) {
      return ExampleData.read(folder, train, test);
    }
    int columns = 1 << environment.integer("hashBits");
    DataFile file = folder.require(train.isBlank() ? folder.onlyName("train") : train.strip());
    SparseExamples all = CriteoReader.read(file, columns);
    if (!test.isBlank()) {
      return new ExampleData(all, CriteoReader.read(folder.require(test.strip()), columns));
    }
    int validation = all.count() / VALIDATION_PART;
    if (validation == 0) {
      throw file.invalid(
          "expected at least %d examples, the last fifth of them to judge the model, but it has %d"
              .formatted(VALIDATION_PART, all.count()));
    }
    int training = all.count() - validation;
    return new ExampleData(all.slice(0, training), all.slice(training, all.count()));
  }

  /// Draws factors from N(0, initialDeviation^2); weights and intercept start at 0.
  @Override
  public void initialise(ProgramContext context) {
    Model opened = opened();
    var random = new SplittableRandom(opened.seed);
    int columns = opened.columns();
    float[] values = new float[ASSIGNED_ROWS * columns];
    int features = opened.data.features();
    for (int row = 0; row < features; row += ASSIGNED_ROWS) {
      int count = Math.min(ASSIGNED_ROWS, features - row);
      for (int i = 0; i < count * columns; i++) {
        boolean isWeight = i % columns == opened.rank;
        values[i] = isWeight ? 0f : (float) (opened.initialDeviation * random.nextGaussian());
      }
      context.table(FEATURES).assign(row, count, values, 0);
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
    opened.read(context, examples, samples);
    Arrays.fill(opened.gradients, 0, opened.rows.count() * opened.columns(), 0f);
    double lossSum = 0;
    float biasGradient = 0;
    for (int sample : samples) {
      double z = opened.score(examples, sample);
      double gradient = LogLoss.sigmoid(z) - examples.labels()[sample];
      lossSum += LogLoss.of(z, examples.labels()[sample]);
      lossSum += addGradient(opened, examples, sample, gradient);
      biasGradient += (float) gradient;
    }
    context.table(FEATURES).add(opened.rows.rows(), opened.rows.count(), opened.gradients);
    context.table(BIAS).add(0, 1, new float[] {biasGradient}, 0);
    return new Progress(lossSum, samples.length);
  }

  @Override
  public Progress loss(ProgramContext context) {
    Model opened = opened();
    return opened.loss(context, opened.data.training());
  }

  /// Adds the gradient sums of the example that was scored last and returns its penalty.
  private static double addGradient(
      Model opened, SparseExamples examples, int sample, double gradient) {
    double squares = 0;
    int rank = opened.rank;
    int end = examples.starts()[sample + 1];
    for (int entry = examples.starts()[sample]; entry < end; entry++) {
      int at = opened.rows.slot(examples.indices()[entry]) * opened.columns();
      double x = examples.values()[entry];
      for (int f = 0; f < rank; f++) {
        double v = opened.values[at + f];
        opened.gradients[at + f] +=
            (float) (gradient * x * (opened.sums[f] - v * x) + opened.l2 * v);
        squares += v * v;
      }
      double w = opened.values[at + rank];
      opened.gradients[at + rank] += (float) (gradient * x + opened.l2 * w);
      squares += w * w;
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
    model = null;
  }
}
