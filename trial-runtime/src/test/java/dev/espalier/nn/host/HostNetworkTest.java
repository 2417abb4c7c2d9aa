package dev.espalier.nn.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.nn.Activation;
import dev.espalier.nn.ArrayTables;
import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.Shape;
import dev.espalier.nn.TestNetworks;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class HostNetworkTest {
  private static final Activation NONE = Activation.NONE;
  private static final float STEP = 3e-3f;

  /// Below it, rounding is larger than the tolerance.
  private static final float SMALLEST_STEP = 1e-4f;

  static Stream<NetworkSpec> networks() {
    return TestNetworks.all();
  }

  /// Every parameter, against the difference quotients of the loss on both sides: a ReLU or a
  /// maximum may have a bend between them. Bends on both sides may hide the gradient, which is why
  /// the step then shrinks towards where there are none; a wrong gradient is outside at any step.
  @ParameterizedTest
  @MethodSource("networks")
  void gradientsAreDifferenceQuotients(NetworkSpec spec) {
    gradientsAreDifferenceQuotients(spec, new Random().nextLong());
  }

  @Test
  void gradientBetweenBends() {
    NetworkSpec bent = TestNetworks.all().skip(3).findFirst().orElseThrow();
    gradientsAreDifferenceQuotients(bent, 8417495606645421565L);
  }

  private static void gradientsAreDifferenceQuotients(NetworkSpec spec, long seed) {
    var random = new Random(seed);
    var tables = new ArrayTables(spec, random);
    Batch batch = TestNetworks.batch(spec, 3, random);
    try (var network = new HostEngine().build(spec)) {
      network.train(tables, batch, 0.01);
      tables.keepGradients();
      for (NetworkSpec.Parameters parameters : spec.parameters()) {
        float[] gradients = tables.gradients(parameters.table());
        double tolerance = 0.01 * largest(gradients);
        for (int i = 0; i < gradients.length; i++) {
          float step = STEP;
          Range quotients;
          do {
            quotients = quotients(network, tables, batch, spec, parameters.table(), i, step);
            step /= 2;
          } while (!quotients.contains(gradients[i], tolerance) && step > SMALLEST_STEP);
          assertThat((double) gradients[i])
              .as("seed %d: gradient of %s[%d]", seed, parameters.table(), i)
              .isBetween(quotients.least - tolerance, quotients.most + tolerance);
        }
      }
    }
  }

  /// Layers that can give their gradient as products of vectors give the same gradient so.
  @ParameterizedTest
  @MethodSource("networks")
  void productsOfVectorsAreTheGradient(NetworkSpec spec) {
    var tables = new ArrayTables(spec, new Random(3));
    var twin = new ArrayTables(spec, new Random(3));
    twin.preferProducts();
    Batch batch = TestNetworks.batch(spec, 5, new Random(4));
    try (var network = new HostEngine().build(spec)) {
      for (int clock = 0; clock < 2; clock++) {
        network.train(tables, batch, 0);
        network.train(twin, batch, 0);
        for (NetworkSpec.Parameters parameters : spec.parameters()) {
          float[] gradients = tables.gradients(parameters.table());
          assertThat(twin.gradients(parameters.table()))
              .usingComparatorWithPrecision(1e-4f * (float) (1 + largest(gradients)))
              .containsExactly(gradients);
        }
      }
    }
  }

  private record Range(double least, double most) {
    boolean contains(double value, double tolerance) {
      return value >= least - tolerance && value <= most + tolerance;
    }
  }

  /// The loss's difference quotients left and right of one parameter.
  private static Range quotients(
      Network network,
      ArrayTables tables,
      Batch batch,
      NetworkSpec spec,
      String table,
      int index,
      float step) {
    float[] values = tables.values(table);
    float value = values[index];
    double middle = objective(network, tables, batch, spec);
    values[index] = value + step;
    double right =
        (objective(network, tables, batch, spec) - middle) / ((double) values[index] - value);
    values[index] = value - step;
    double left =
        (middle - objective(network, tables, batch, spec)) / ((double) value - values[index]);
    values[index] = value;
    return new Range(Math.min(left, right), Math.max(left, right));
  }

  private static double largest(float[] values) {
    double largest = 0;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  private static double objective(
      Network network, ArrayTables tables, Batch batch, NetworkSpec spec) {
    var outcome = network.train(tables, batch, 0.01);
    return outcome.lossSum() / spec.scores().positions() + outcome.penalty();
  }

  @ParameterizedTest
  @MethodSource("networks")
  void predictionAgreesWithTrainingAndWithSmallerBatches(NetworkSpec spec) {
    var random = new Random(7);
    var tables = new ArrayTables(spec, random);
    Batch batch = TestNetworks.batch(spec, 4, random);
    try (var network = new HostEngine().build(spec)) {
      var trained = network.train(tables, batch, 0);
      Network.Reading parameters = network.read(tables);
      assertThat(parameters.predict(batch)).isEqualTo(trained);
      assertThat(trained.judged()).isEqualTo(batch.labelled());
      double sum = 0;
      var single = new Batch(spec);
      single.resize(1);
      for (int i = 0; i < 4; i++) {
        int inputs = spec.input().size();
        int labels = spec.scores().positions();
        System.arraycopy(batch.inputs(), i * inputs, single.inputs(), 0, inputs);
        System.arraycopy(batch.labels(), i * labels, single.labels(), 0, labels);
        sum += parameters.predict(single).lossSum();
      }
      assertThat(sum).isCloseTo(trained.lossSum(), within(1e-4));
    }
  }

  @Test
  void convolutionIsTheSumOverItsWindow() {
    var spec = new NetworkSpec(new Shape(3, 3, 1), List.of(new LayerSpec.Convolution(2, 3, NONE)));
    var layer =
        new ConvolutionLayer(weights(spec, numbers(20)), spec.input(), 3, NONE, new PlainGemm());
    var input = signal(1, 2, 3, 4, 5, 6, 7, 8, 9);
    var output = new Signal(18, true);
    output.resize(1, true);
    layer.forward(input, output, 1);
    // Channel 0 has the weights 0, 2, ..., 16 and the bias 18; the window of the first position
    // covers the lower right four of them.
    assertThat(output.values()[0]).isEqualTo(18 + 8 * 1 + 10 * 2 + 14 * 4 + 16 * 5);
    assertThat(output.values()[8]).isEqualTo(18 + 2 * (2 + 6 + 12 + 20 + 30 + 42 + 56 + 72));
  }

  private static Weights weights(NetworkSpec spec, float[] values) {
    var weights = new Weights(spec.parameters().getFirst());
    System.arraycopy(values, 0, weights.values(), 0, values.length);
    return weights;
  }

  private static float[] numbers(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = i;
    }
    return values;
  }

  private static Signal signal(float... values) {
    var signal = new Signal(values.length, true);
    signal.resize(1, true);
    System.arraycopy(values, 0, signal.values(), 0, values.length);
    return signal;
  }

  @Test
  void poolingTakesTheFirstOfEqualAndLetsNanThrough() {
    var in = new Shape(2, 5, 1);
    var layer = new PoolingLayer(new LayerSpec.Pooling(true, 2), in);
    var input = signal(3, 1, Float.NaN, 1, 9, 3, 2, 5, 7, 9);
    var output = new Signal(2, true);
    output.resize(1, true);
    layer.forward(input, output, 1);
    assertThat(output.values()).containsExactly(3, Float.NaN);
    Arrays.fill(output.gradients(), 1);
    layer.backward(input, output, 1);
    assertThat(input.gradients()).containsExactly(1, 0, 1, 0, 0, 0, 0, 0, 0, 0);
  }

  @Test
  void theFastHyperbolicTangentIsOne() {
    double worst = 0;
    for (float x = -20; x < 20; x += 0.001f) {
      worst = Math.max(worst, Math.abs(Curves.tanh(x) - Math.tanh(x)));
    }
    assertThat(worst).isLessThan(1e-6);
    assertThat(Curves.tanh(Float.NaN)).isNaN();
    assertThat(Curves.tanh(Float.POSITIVE_INFINITY)).isEqualTo(1f, within(1e-6f));
  }

  @Test
  void predictionsTakeNoRoomForGradients() {
    var signal = new Signal(10, true);
    signal.resize(64, false);
    assertThat(signal.values()).hasSize(640);
    assertThat(signal.gradients()).isEmpty();
    signal.resize(8, true);
    assertThat(signal.values()).hasSize(640);
    assertThat(signal.gradients()).hasSize(80);
    signal.resize(16, true);
    assertThat(signal.gradients()).hasSize(160);
  }

  @Test
  void batchesThatNoArrayHoldsAreRefused() {
    var spec = new NetworkSpec(new Shape(1, 4096, 1), List.of(new LayerSpec.Embedding(2, 4096)));
    assertThat(Batch.values(127, spec.values())).isEqualTo(127 * 4097 * 4096);
    assertThatThrownBy(() -> Batch.values(128, spec.values()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("a batch of 128 samples with 16781312 values each does not fit");
  }

  @Test
  void valuesOfAnLstmAreItsGatesCellsAndOutputs() {
    List<LayerSpec> layers = List.of(new LayerSpec.Embedding(9, 3), new LayerSpec.Lstm(5));
    assertThat(new NetworkSpec(new Shape(1, 4, 1), layers).values())
        .isEqualTo(4 + 4 * 3 + 4 * 7 * 5);
  }

  @Test
  void layersThatDoNotFitAreRefused() {
    assertThatThrownBy(
            () -> new NetworkSpec(new Shape(2, 2, 1), List.of(new LayerSpec.Pooling(true, 3))))
        .hasMessageContaining("at least 3 x 3 positions but has 2 x 2 x 1");
    assertThatThrownBy(() -> new LayerSpec.Convolution(4, 2, NONE))
        .hasMessageContaining("kernel must be odd and >= 1 but is 2");
    assertThatThrownBy(() -> new NetworkSpec(Shape.vector(3), List.of()))
        .hasMessageContaining("at least one layer");
    assertThatThrownBy(() ->
            new NetworkSpec(
                Shape.vector(1),
                List.of(new LayerSpec.Dense(1, NONE), new LayerSpec.Embedding(2, 2))))
        .hasMessageContaining("embedding must be the first layer but is layer 1");
  }
}
