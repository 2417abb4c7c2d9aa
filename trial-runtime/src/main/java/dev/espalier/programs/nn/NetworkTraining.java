package dev.espalier.programs.nn;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.nn.Activation;
import dev.espalier.nn.Batch;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NeuralEngine;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.host.HostEngine;
import dev.espalier.nn.torch.TorchEngine;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/* The objective of a clock is the mean loss plus weightDecay / 2 times the squared weights without
 * biases; the rule `adamw` decays a table itself, weights and biases, so there the objective is the
 * loss alone. */
/// A network on the tables of a branch, as all programs of this package train one.
final class NetworkTraining implements AutoCloseable {
  private static final String ADAMW = "adamw";
  private static final long EVALUATION_VALUES = 1 << 24;
  private static final List<NeuralEngine> ENGINES =
      List.of(new HostEngine(), TorchEngine.HOST, TorchEngine.GPU);

  private final NetworkSpec spec;
  private final long seed;
  private final String rule;
  private final double weightDecay;
  private final Network network;
  private final Batch batch;

  /// @param environment its arguments contain those of [#arguments]
  NetworkTraining(NetworkSpec spec, ProgramEnvironment environment) {
    this.spec = spec;
    seed = environment.seed();
    rule = environment.text("optimizer");
    weightDecay = environment.decimal("weightDecay");
    network = engine(environment.text("engine")).build(spec);
    batch = new Batch(spec);
  }

  private static NeuralEngine engine(String name) {
    return ENGINES.stream()
        .filter(engine -> engine.title().equals(name))
        .findFirst()
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.INVALID_JOB,
                "engine must be one of %s but is %s".formatted(engineTitles(), name)));
  }

  private static List<String> engineTitles() {
    return ENGINES.stream().map(NeuralEngine::title).toList();
  }

  /// {@return the arguments that every network has}
  ///
  /// @param optimizer the rule where the job names none
  static List<Argument> arguments(String optimizer) {
    return List.of(
        Argument.choice("optimizer", "update rule", optimizer, TableDeclaration.RULES),
        Argument.decimal("weightDecay", "weight of the squared weights", 0).within(0, 1),
        Argument.choice(
            "engine",
            "what computes: Java, libtorch on the host or libtorch on a GPU",
            ENGINES.getFirst().title(),
            engineTitles()));
  }

  static Argument activationArgument() {
    return Argument.choice(
        "activation", "what a hidden unit does", "relu", List.of("relu", "tanh"));
  }

  static Activation activation(ProgramEnvironment environment) {
    return Activation.valueOf(environment.text("activation").toUpperCase(Locale.ROOT));
  }

  /// {@return the numbers of an argument, each of them >= 1}
  static int[] sizes(ProgramEnvironment environment, String argument) {
    int[] sizes = environment.integers(argument);
    for (int size : sizes) {
      if (size < 1) {
        throw new EspalierException(
            ErrorCode.INVALID_JOB,
            "each number in " + argument + " must be >= 1 but one is " + size);
      }
    }
    return sizes;
  }

  List<TableDeclaration> tables() {
    return spec.parameters().stream()
        .map(parameters -> parameters.declaration(rule))
        .map(table -> rule.equals(ADAMW) ? table.with("weightDecay", weightDecay) : table)
        .toList();
  }

  void initialise(ProgramContext context) {
    var random = new SplittableRandom(seed);
    for (NetworkSpec.Parameters parameters : spec.parameters()) {
      context
          .table(parameters.table())
          .assign(0, parameters.rows(), spec.draw(parameters, random), 0);
    }
  }

  /// {@return how many samples to predict at once, >= 1: as many as are asked for, but no more than
  /// keep to some room for values, however large a sample is}
  int evaluationBatch(int wanted) {
    return Math.clamp(EVALUATION_VALUES / spec.values(), 1, wanted);
  }

  /// {@return the batch to fill before [#train], [#loss] or a prediction}
  Batch batch() {
    return batch;
  }

  /// Trains with the samples of the batch; its loss is the objective.
  Progress train(ProgramContext context) {
    return progress(network.train(context, batch, rule.equals(ADAMW) ? 0 : weightDecay));
  }

  /// Measures the samples of the batch: the objective without the penalty.
  Progress loss(ProgramContext context) {
    try (Network.Reading parameters = network.read(context)) {
      return progress(parameters.predict(batch));
    }
  }

  private Progress progress(Outcome outcome) {
    double lossSum = outcome.lossSum() / spec.scores().positions() + outcome.penalty();
    return new Progress(lossSum, batch.count());
  }

  /// Reads the parameters of the branch, to predict with them.
  Network.Reading read(ProgramContext context) {
    return network.read(context);
  }

  @Override
  public void close() {
    network.close();
  }
}
