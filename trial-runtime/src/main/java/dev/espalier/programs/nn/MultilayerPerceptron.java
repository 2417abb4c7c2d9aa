package dev.espalier.programs.nn;

import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.CHOICE;
import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.DECIMAL;
import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.INTEGER;
import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.INTEGER_LIST;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/* A classifier of dense layers, trained by mini-batches.
 *
 * Data: a folder with the files of MNIST or one of its relatives; without a folder, generated
 * classes. Layer l is the dense table `layer<l>` of (inputs + 1) x outputs, the bias in the last
 * row. The objective of a clock is the mean cross-entropy plus weightDecay / 2 times the squared
 * weights without biases; the rule `adamw` decays weights itself, so there the objective is the
 * cross-entropy alone.
 */
/// A multilayer perceptron for classification; without hidden layers, softmax regression.
public final class MultilayerPerceptron implements TrainingProgram {
  private static final int DEFAULT_BATCH_SIZE = 128;
  private static final int EVALUATION_BATCH = 256;
  private static final String ADAMW = "adamw";

  private @Nullable Model model;

  /// What `open` makes.
  private record Model(
      ProgramEnvironment environment,
      ClassificationData data,
      DenseNetwork network,
      double weightDecay,
      int[] batch) {}

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "mlp",
        "Classifies images or generated vectors with a multilayer perceptron.",
        false,
        List.of(
            new Argument(
                "hidden",
                "widths of the hidden layers",
                INTEGER_LIST,
                "128",
                1.0,
                16384.0,
                List.of()),
            new Argument(
                "activation",
                "what a hidden unit does",
                CHOICE,
                "relu",
                null,
                null,
                List.of("relu", "tanh")),
            new Argument(
                "optimizer", "update rule", CHOICE, "momentum", null, null, TableDeclaration.RULES),
            new Argument(
                "weightDecay", "weight of the squared weights", DECIMAL, "0", 0.0, 1.0, List.of()),
            new Argument(
                "classes",
                "classes of the data in the folder",
                INTEGER,
                "10",
                2.0,
                256.0,
                List.of()),
            new Argument(
                "validationSamples",
                "taken from the end of the training file; 0 stands for one sixth",
                INTEGER,
                "0",
                0.0,
                10_000_000.0,
                List.of())),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 0.01),
            new Tunable.LinearRange(Tunable.MOMENTUM, 0, 0.99, 0.9),
            new Tunable.Choice(
                Tunable.BATCH_SIZE, List.of(32.0, 64.0, 128.0, 256.0, 512.0), DEFAULT_BATCH_SIZE)),
        List.of(
            MetricSpec.maximize("accuracy"),
            MetricSpec.minimize("loss"),
            MetricSpec.maximize("testAccuracy")));
  }

  @Override
  public ProgramShape open(ProgramEnvironment environment) {
    ClassificationData data =
        environment
            .data()
            .map(folder ->
                ClassificationData.readIdx(
                    new DataFolder(folder),
                    environment.integer("classes"),
                    environment.integer("validationSamples")))
            .orElseGet(GeneratedClasses::generate);
    int[] hidden = environment.integers("hidden");
    for (int width : hidden) {
      if (width < 1) {
        throw new EspalierException(
            ErrorCode.INVALID_JOB, "each number in hidden must be >= 1 but one is " + width);
      }
    }
    int[] widths = new int[hidden.length + 2];
    System.arraycopy(hidden, 0, widths, 1, hidden.length);
    widths[0] = data.features();
    widths[widths.length - 1] = data.classes();
    var activation = Activation.valueOf(environment.text("activation").toUpperCase(Locale.ROOT));
    var network = new DenseNetwork(widths, activation);

    String rule = environment.text("optimizer");
    double decay = environment.decimal("weightDecay");
    boolean ruleDecays = rule.equals(ADAMW);
    model =
        new Model(environment, data, network, ruleDecays ? 0 : decay, new int[EVALUATION_BATCH]);
    var tables = new ArrayList<TableDeclaration>();
    for (int layer = 0; layer < network.layers(); layer++) {
      var table =
          TableDeclaration.dense(name(layer), network.rows(layer), network.columns(layer), rule);
      tables.add(ruleDecays ? table.with("weightDecay", decay) : table);
    }
    return new ProgramShape(tables, data.trainingSamples(), DEFAULT_BATCH_SIZE);
  }

  /// Draws weights after He et al. 2015: variance 2 / inputs before a ReLU, 1 / inputs elsewhere.
  @Override
  public void initialise(ProgramContext context) {
    Model opened = opened();
    DenseNetwork network = opened.network;
    var random = new SplittableRandom(opened.environment.seed());
    boolean relu = opened.environment.text("activation").equals("relu");
    for (int layer = 0; layer < network.layers(); layer++) {
      int inputs = network.rows(layer) - 1;
      boolean last = layer == network.layers() - 1;
      double deviation = Math.sqrt((relu && !last ? 2.0 : 1.0) / inputs);
      float[] weights = network.weights(layer);
      int biasFrom = inputs * network.columns(layer);
      for (int i = 0; i < biasFrom; i++) {
        weights[i] = (float) (deviation * random.nextGaussian());
      }
      Arrays.fill(weights, biasFrom, weights.length, 0f);
      context.table(name(layer)).assign(0, network.rows(layer), weights, 0);
    }
  }

  @Override
  public Progress clock(ProgramContext context) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    DenseNetwork network = opened.network;
    readWeights(network, context);
    network.load(opened.data.samples(), samples, samples.length);
    double lossSum = network.lossAndGradients(samples.length).lossSum();
    for (int layer = 0; layer < network.layers(); layer++) {
      if (opened.weightDecay > 0) {
        lossSum += addDecay(network, layer, opened.weightDecay * samples.length);
      }
      context.table(name(layer)).add(0, network.rows(layer), network.weightGradients(layer), 0);
    }
    return new Progress(lossSum, samples.length);
  }

  /// Adds the gradient of `scale / 2` times the squared weights and returns that penalty.
  private static double addDecay(DenseNetwork network, int layer, double scale) {
    float[] weights = network.weights(layer);
    float[] gradients = network.weightGradients(layer);
    int biasFrom = (network.rows(layer) - 1) * network.columns(layer);
    float factor = (float) scale;
    double squares = 0;
    for (int i = 0; i < biasFrom; i++) {
      gradients[i] += factor * weights[i];
      squares += (double) weights[i] * weights[i];
    }
    return scale / 2 * squares;
  }

  /// Measures `accuracy` and `loss` on the validation samples and, where the data have a test set,
  /// `testAccuracy`; worker r of W takes every sample i with i mod W = r.
  @Override
  public Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    readWeights(opened.network, context);
    ClassificationData data = opened.data;
    Score validation =
        score(opened, context, data.samples(), data.trainingSamples(), data.samples().count());
    var metrics = new HashMap<String, Double>();
    metrics.put("accuracy", validation.accuracy());
    metrics.put("loss", validation.loss());
    data.test()
        .map(test -> score(opened, context, test, 0, test.count()))
        .ifPresent(test -> metrics.put("testAccuracy", test.accuracy()));
    return new Evaluation(metrics, validation.samples);
  }

  private record Score(double lossSum, int correct, int samples) {
    double accuracy() {
      return samples == 0 ? 0 : (double) correct / samples;
    }

    double loss() {
      return samples == 0 ? 0 : lossSum / samples;
    }
  }

  private static Score score(
      Model opened, ProgramContext context, LabelledVectors vectors, int from, int to) {
    var total = new Score(0, 0, 0);
    int[] batch = opened.batch;
    int sample = from + context.worker();
    while (sample < to) {
      int count = 0;
      for (; count < batch.length && sample < to; sample += context.workers()) {
        batch[count++] = sample;
      }
      opened.network.load(vectors, batch, count);
      DenseNetwork.Outcome outcome = opened.network.predict(count);
      total =
          new Score(
              total.lossSum + outcome.lossSum(),
              total.correct + outcome.correct(),
              total.samples + count);
    }
    return total;
  }

  private static void readWeights(DenseNetwork network, ProgramContext context) {
    for (int layer = 0; layer < network.layers(); layer++) {
      context.table(name(layer)).read(0, network.rows(layer), network.weights(layer), 0);
    }
  }

  private static String name(int layer) {
    return "layer" + layer;
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
