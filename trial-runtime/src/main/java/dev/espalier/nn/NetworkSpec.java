package dev.espalier.nn;

import dev.espalier.sdk.TableDeclaration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// A feed-forward network: layers, one behind the other, and a softmax at each position of the
/// last.
///
/// The parameters of the n-th layer that has any are the table `layer<n>`, from 0.
///
/// @param input shape of a sample
/// @param layers at least one, the first parameters first
public record NetworkSpec(Shape input, List<LayerSpec> layers) {

  /// @throws IllegalArgumentException when a layer does not fit what comes before it
  public NetworkSpec {
    layers = List.copyOf(layers);
    if (layers.isEmpty()) {
      throw new IllegalArgumentException("a network needs at least one layer but has none");
    }
    Shape shape = input;
    for (int i = 0; i < layers.size(); i++) {
      if (i > 0 && layers.get(i) instanceof LayerSpec.Embedding) {
        throw new IllegalArgumentException(
            "an embedding must be the first layer but is layer " + i);
      }
      shape = layers.get(i).output(shape);
    }
  }

  /// {@return the shape that layer `layer` gets; that of the scores for the number of layers}
  public Shape shape(int layer) {
    Shape shape = input;
    for (int i = 0; i < layer; i++) {
      shape = layers.get(i).output(shape);
    }
    return shape;
  }

  /// {@return positions x classes of the scores}
  public Shape scores() {
    return shape(layers.size());
  }

  /// {@return values that a pass forward keeps of one sample in all layers: about, for engines
  /// differ}
  public long values() {
    long values = input.size();
    for (int i = 0; i < layers.size(); i++) {
      values += layers.get(i).values(shape(i));
    }
    return values;
  }

  /// {@return one for each layer that has parameters, in order}
  public List<Parameters> parameters() {
    var all = new ArrayList<Parameters>();
    for (int i = 0; i < layers.size(); i++) {
      LayerSpec layer = layers.get(i);
      int rows = layer.rows(shape(i));
      if (rows > 0) {
        all.add(
            new Parameters(
                "layer" + all.size(),
                i,
                rows,
                layer.columns(shape(i)),
                !(layer instanceof LayerSpec.Embedding)));
      }
    }
    return all;
  }

  /// The parameter matrix of a layer.
  ///
  /// @param table name of its table
  /// @param layer number of the layer
  /// @param rows with the bias
  /// @param columns >= 1
  /// @param biased whether the last row is the bias
  public record Parameters(String table, int layer, int rows, int columns, boolean biased) {
    /// {@return how many values come before the bias: those that a penalty shrinks}
    public int weights() {
      return (biased ? rows - 1 : rows) * columns;
    }

    /// {@return values of the matrix}
    public int size() {
      return rows * columns;
    }

    /// {@return the table for this matrix}
    public TableDeclaration declaration(String rule) {
      return TableDeclaration.matrix(table, rows, columns, rule);
    }
  }

  /// Draws initial values of one layer, biases 0.
  ///
  /// Weights are normal. Variance: 2 / inputs before a ReLU (He et al. 2015), 1 / inputs before
  /// anything else (LeCun et al. 1998), 1 / width in an embedding. The biases of forget gates are 1
  /// (Jozefowicz et al. 2015), so that a young LSTM remembers.
  ///
  /// The same generator gives the same bits on machines of one kind; on another the JDK's normal
  /// numbers may differ where its `Math.exp` rounds the last bit otherwise.
  ///
  /// @return rows x columns floats
  public float[] draw(Parameters parameters, SplittableRandom random) {
    LayerSpec layer = layers.get(parameters.layer);
    double deviation =
        switch (layer) {
          case LayerSpec.Dense(int _, Activation activation) -> deviation(parameters, activation);
          case LayerSpec.Convolution(int _, int _, Activation activation) ->
              deviation(parameters, activation);
          case LayerSpec.Lstm _ -> deviation(parameters, Activation.TANH);
          case LayerSpec.Embedding(int _, int width) -> Math.sqrt(1.0 / width);
          case LayerSpec.Pooling _ ->
              throw new IllegalArgumentException("a pooling layer has no parameters");
        };
    float[] values = new float[parameters.size()];
    int weights = parameters.weights();
    for (int i = 0; i < weights; i++) {
      values[i] = (float) (deviation * random.nextGaussian());
    }
    if (layer instanceof LayerSpec.Lstm(int units)) {
      java.util.Arrays.fill(values, weights + units, weights + 2 * units, 1f);
    }
    return values;
  }

  private static double deviation(Parameters parameters, Activation activation) {
    return Math.sqrt((activation == Activation.RELU ? 2.0 : 1.0) / (parameters.rows - 1));
  }
}
