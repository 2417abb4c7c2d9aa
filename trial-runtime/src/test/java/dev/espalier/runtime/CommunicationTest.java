package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.programs.lda.LatentDirichletAllocation;
import dev.espalier.programs.logreg.SparseLogisticRegression;
import dev.espalier.programs.mf.MatrixFactorization;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.sdk.Evaluation;
import dev.espalier.sdk.ForwardingProgram;
import dev.espalier.sdk.ParameterTable;
import dev.espalier.sdk.ProgramContext;
import dev.espalier.sdk.ProgramEnvironment;
import dev.espalier.sdk.ProgramShape;
import dev.espalier.sdk.Progress;
import dev.espalier.sdk.TableDeclaration;
import dev.espalier.sdk.TrainingProgram;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Real programs on two workers converge with every way to send less, about as far as without.
@Timeout(120)
class CommunicationTest {
  private static final int CLOCKS = 240;
  private static final int LAST = 60;
  private static final int FIRST = 10;
  private static final Map<String, Double> PLAIN_LOSSES = new HashMap<>();
  private static final Map<String, Supplier<TrainingProgram>> PROGRAMS =
      Map.of(
          "mlp", MultilayerPerceptron::new,
          "mf", MatrixFactorization::new,
          "logreg", SparseLogisticRegression::new,
          "map", LinearMap::new,
          "lda", LatentDirichletAllocation::new,
          "wide", MultilayerPerceptron::new);
  private static final Map<String, Double> LEARNING_RATES =
      Map.of("mlp", 0.05, "mf", 0.1, "logreg", 0.2, "map", 0.2, "wide", 0.05, "lda", 1.0);

  /// Layers whose gradients are larger than the vectors of a batch of 32 samples.
  private static final Map<String, Map<String, String>> ARGUMENTS =
      Map.of("wide", Map.of("hidden", "128,128"));

  @TempDir private Path checkpoints;

  @ParameterizedTest
  @CsvSource({
    "mlp, socket, bfloat16, 0, 1, 1, false, false",
    "mlp, auto, float16, 0, 1, 1, false, false",
    "mlp, auto, oneBit, 0, 1, 1, false, false",
    "mf, auto, oneBit, 0, 1, 1, false, true",
    "mf, socket, float32, 1, 1, 1, false, false",
    "mlp, grpc, float32, 1, 1, 1, false, false",
    "mlp, auto, float32, 0, 2, 3, false, false",
    "logreg, socket, float32, 0, 1, 1, false, true",
    "wide, auto, float32, 0, 1, 1, true, true",
    "wide, socket, float16, 0, 1, 1, true, true",
    "map, auto, float32, 0, 1, 1, true, false",
    "map, grpc, bfloat16, 0.5, 1, 1, true, true",
    "lda, auto, oneBit, 1, 4, 3, false, true"
  })
  void converges(
      String program,
      String transport,
      String updates,
      double significance,
      int pushEvery,
      int fetchEvery,
      boolean factors,
      boolean keys)
      throws Exception {
    if (!PLAIN_LOSSES.containsKey(program)) {
      PLAIN_LOSSES.put(program, lastLoss(program, Communication.PLAIN));
    }
    double filtered =
        lastLoss(
            program,
            new Communication(
                transport, updates, significance, pushEvery, fetchEvery, factors, keys));
    assertThat(filtered).isLessThan(1.2 * PLAIN_LOSSES.get(program));
  }

  /// Trains, and makes sure that there was something to learn.
  private double lastLoss(String program, Communication communication) throws Exception {
    try (var tuner = new ScriptedTuner(2, checkpoints)) {
      tuner.communicate(communication);
      try (var described = PROGRAMS.get(program).get()) {
        tuner.train(described.describe().name());
      }
      try (var threads =
          WorkerThreads.attach(
              tuner,
              () ->
                  new WithDefaults(
                      PROGRAMS.get(program).get(), ARGUMENTS.getOrDefault(program, Map.of())))) {
        tuner.say(new BranchCommand.Create(BranchId.ROOT, setting(program)));
        tuner.say(new BranchCommand.Schedule(BranchId.ROOT, CLOCKS, CLOCKS));
        tuner.await(
            "all clocks",
            () ->
                tuner.losses(0, BranchId.ROOT).size() == CLOCKS
                    && tuner.losses(1, BranchId.ROOT).size() == CLOCKS);
        List<Double> losses = tuner.losses(0, BranchId.ROOT);
        tuner.say(new BranchCommand.Stop());
        threads.awaitEnd();
        double first = mean(losses.subList(0, FIRST));
        double last = mean(losses.subList(CLOCKS - LAST, CLOCKS));
        assertThat(last).as("%s with %s", program, communication).isLessThan(0.95 * first);
        return last;
      }
    }
  }

  private static Setting setting(String program) {
    var setting =
        Setting.of(
            Map.of(Tunable.LEARNING_RATE, LEARNING_RATES.get(program), Tunable.MOMENTUM, 0.0));
    return program.equals("wide") ? setting.with(Tunable.BATCH_SIZE, 32) : setting;
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
  }

  /// A program that is opened with its own default arguments, but for some.
  private static final class WithDefaults extends ForwardingProgram {
    private final Map<String, String> others;

    WithDefaults(TrainingProgram program, Map<String, String> others) {
      super(program);
      this.others = others;
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      return super.open(
          new ProgramEnvironment(
              describe().argumentsWith(others),
              environment.data(),
              environment.worker(),
              environment.workers(),
              environment.seed()));
    }
  }

  /// Learns a linear map from examples; its gradients are sums of a few products of vectors.
  private static final class LinearMap implements TrainingProgram {
    private static final int SIZE = 48;
    private static final int BATCH = 4;
    private static final int SAMPLES = 400;

    private final float[] truth = new float[SIZE * SIZE];
    private final float[][] inputs = new float[SAMPLES][SIZE];

    @Override
    public ProgramDescriptor describe() {
      return new ProgramDescriptor(
          "map",
          "Learns a linear map.",
          false,
          List.of(),
          List.of(),
          List.of(MetricSpec.minimize("loss")));
    }

    @Override
    public ProgramShape open(ProgramEnvironment environment) {
      Random random = new Random(5);
      for (int i = 0; i < truth.length; i++) {
        truth[i] = (float) random.nextGaussian();
      }
      for (float[] input : inputs) {
        for (int i = 0; i < SIZE; i++) {
          input[i] = (float) (random.nextGaussian() / Math.sqrt(SIZE));
        }
      }
      return new ProgramShape(
          List.of(TableDeclaration.dense("map", SIZE, SIZE, "sgd")), SAMPLES, BATCH);
    }

    @Override
    public void initialise(ProgramContext context) {}

    @Override
    public Progress clock(ProgramContext context) {
      ParameterTable table = context.table("map");
      float[] map = table.readAll();
      int batch = context.samples().length;
      float[] errors = new float[batch * SIZE];
      float[] batchInputs = new float[batch * SIZE];
      double loss = 0;
      for (int s = 0; s < batch; s++) {
        float[] input = inputs[context.samples()[s]];
        System.arraycopy(input, 0, batchInputs, s * SIZE, SIZE);
        for (int row = 0; row < SIZE; row++) {
          float error = 0;
          for (int column = 0; column < SIZE; column++) {
            error += (map[row * SIZE + column] - truth[row * SIZE + column]) * input[column];
          }
          errors[s * SIZE + row] = error;
          loss += 0.5 * error * error;
        }
      }
      table.addProducts(0, SIZE, batch, errors, batchInputs);
      return new Progress(loss, batch);
    }

    @Override
    public Evaluation evaluate(ProgramContext context) {
      return new Evaluation(Map.of("loss", 0.0), 1);
    }

    @Override
    public void close() {}
  }
}
