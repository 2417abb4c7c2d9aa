package dev.espalier.programs.nn;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.api.model.Tunable;
import dev.espalier.data.DataFolder;
import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.Outcome;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TrainingProgram;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A program that learns the classes of images or vectors by mini-batches.
///
/// Data: a folder with the files of MNIST or one of its relatives, or of CIFAR-10; without a
/// folder, generated samples.
abstract sealed class Classifier implements TrainingProgram
    permits ConvolutionalNetwork, MultilayerPerceptron {
  static final int DEFAULT_BATCH_SIZE = 128;
  private static final int EVALUATION_BATCH = 256;

  private @Nullable Model model;

  /// What `open` makes.
  private record Model(ClassificationData data, NetworkTraining training) {}

  /// {@return samples for a job without a data folder}
  abstract ClassificationData generate();

  /// {@return the layers that the job's arguments ask for}
  abstract List<LayerSpec> layers(ProgramEnvironment environment, ClassificationData data);

  /// {@return the program's own arguments and those that all classifiers have}
  static List<Argument> withCommonArguments(Argument... own) {
    return Stream.of(
            Stream.of(own),
            NetworkTraining.arguments("momentum").stream(),
            Stream.of(
                Argument.integer("classes", "classes of the data in the folder", 10).within(2, 256),
                Argument.integer(
                        "validationSamples",
                        "taken from the end of the training samples; 0 stands for one sixth",
                        0)
                    .within(0, 10_000_000)))
        .flatMap(arguments -> arguments)
        .toList();
  }

  static List<Tunable> tunables() {
    return List.of(
        new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 0.01),
        new Tunable.LinearRange(Tunable.MOMENTUM, 0, 0.99, 0.9),
        new Tunable.Choice(
            Tunable.BATCH_SIZE, List.of(32.0, 64.0, 128.0, 256.0, 512.0), DEFAULT_BATCH_SIZE));
  }

  static List<MetricSpec> metrics() {
    return List.of(
        MetricSpec.maximize("accuracy"),
        MetricSpec.minimize("loss"),
        MetricSpec.maximize("testAccuracy"));
  }

  @Override
  public final ProgramShape open(ProgramEnvironment environment) {
    ClassificationData data =
        environment
            .data()
            .map(folder ->
                ClassificationData.read(
                    new DataFolder(folder),
                    environment.integer("classes"),
                    environment.integer("validationSamples")))
            .orElseGet(this::generate);
    var spec = new NetworkSpec(data.shape(), layers(environment, data));
    var training = new NetworkTraining(spec, environment);
    model = new Model(data, training);
    return new ProgramShape(training.tables(), data.trainingSamples(), DEFAULT_BATCH_SIZE)
        .withValidationSamples(data.samples().count() - data.trainingSamples());
  }

  @Override
  public final void initialise(ProgramContext context) {
    opened().training.initialise(context);
  }

  @Override
  public final Progress clock(ProgramContext context) {
    return ofSamples(context, NetworkTraining::train);
  }

  @Override
  public final Progress loss(ProgramContext context) {
    return ofSamples(context, NetworkTraining::loss);
  }

  private Progress ofSamples(
      ProgramContext context, BiFunction<NetworkTraining, ProgramContext, Progress> pass) {
    Model opened = opened();
    int[] samples = context.samples();
    if (samples.length == 0) {
      return new Progress(0, 0);
    }
    load(opened, opened.data.samples(), samples);
    return pass.apply(opened.training, context);
  }

  private static void load(Model opened, LabelledVectors vectors, int[] samples) {
    Batch batch = opened.training.batch();
    batch.resize(samples.length);
    for (int i = 0; i < samples.length; i++) {
      vectors.copy(samples[i], batch.inputs(), i * vectors.features());
      batch.labels()[i] = vectors.label(samples[i]);
    }
  }

  /// Measures `accuracy` and `loss` on the validation samples and, where the data have a test set,
  /// `testAccuracy`; worker r of W takes every sample i with i mod W = r.
  @Override
  public final Evaluation evaluate(ProgramContext context) {
    Model opened = opened();
    ClassificationData data = opened.data;
    LabelledVectors samples = data.samples();
    try (Network.Reading parameters = opened.training.read(context)) {
      Outcome validation =
          judge(
              opened,
              parameters,
              samples,
              share(opened, context, data.trainingSamples(), samples.count()));
      var evaluation =
          new Evaluation(
              Map.of("accuracy", validation.accuracy(), "loss", validation.meanLoss()),
              validation.judged());
      return data.test()
          .filter(_ -> !context.isPart())
          .map(test -> judge(opened, parameters, test, share(opened, context, 0, test.count())))
          .map(test -> evaluation.with("testAccuracy", test.accuracy(), test.judged()))
          .orElse(evaluation);
    }
  }

  private static List<int[]> share(Model opened, ProgramContext context, int from, int to) {
    return context.shareInBatches(from, to, opened.training.evaluationBatch(EVALUATION_BATCH));
  }

  private static Outcome judge(
      Model opened, Network.Reading parameters, LabelledVectors vectors, List<int[]> batches) {
    Outcome total = Outcome.NONE;
    for (int[] batch : batches) {
      load(opened, vectors, batch);
      total = total.plus(parameters.predict(opened.training.batch()));
    }
    return total;
  }

  private Model opened() {
    if (model == null) {
      throw new IllegalStateException("the program must be opened first");
    }
    return model;
  }

  @Override
  public final void close() {
    if (model != null) {
      model.training.close();
      model = null;
    }
  }
}
