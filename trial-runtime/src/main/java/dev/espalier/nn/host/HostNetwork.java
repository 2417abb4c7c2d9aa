package dev.espalier.nn.host;

import dev.espalier.nn.Batch;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NetworkSpec.Parameters;
import dev.espalier.nn.Outcome;
import dev.espalier.nn.Shape;
import dev.espalier.sdk.ProgramContext;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A network in Java arrays. Buffers grow with the largest batch seen and are kept.
final class HostNetwork implements Network {
  private final Layer[] layers;
  private final @Nullable Weights[] weights;
  private final Signal[] signals;
  private final SoftmaxLoss loss;

  HostNetwork(NetworkSpec spec) {
    int count = spec.layers().size();
    layers = new Layer[count];
    weights = new Weights[count];
    signals = new Signal[count + 1];
    Map<Integer, Weights> matrices = matrices(spec.parameters());
    Gemm gemm = Gemm.best();
    for (int i = 0; i < count; i++) {
      weights[i] = matrices.get(i);
      layers[i] = layer(spec.layers().get(i), spec.shape(i), Optional.ofNullable(weights[i]), gemm);
    }
    for (int i = 0; i <= count; i++) {
      signals[i] = new Signal(spec.shape(i).size(), i > 0);
    }
    loss = new SoftmaxLoss(spec.scores());
  }

  private static Map<Integer, Weights> matrices(List<Parameters> parameters) {
    var matrices = new HashMap<Integer, Weights>();
    parameters.forEach(matrix -> matrices.put(matrix.layer(), new Weights(matrix)));
    return matrices;
  }

  private static Layer layer(LayerSpec spec, Shape in, Optional<Weights> weights, Gemm gemm) {
    return switch (spec) {
      case LayerSpec.Dense dense -> new DenseLayer(weights.orElseThrow(), dense.activation(), gemm);
      case LayerSpec.Convolution convolution ->
          new ConvolutionLayer(
              weights.orElseThrow(), in, convolution.kernel(), convolution.activation(), gemm);
      case LayerSpec.Pooling pooling -> new PoolingLayer(pooling, in);
      case LayerSpec.Embedding _ -> new EmbeddingLayer(weights.orElseThrow());
      case LayerSpec.Lstm _ -> new LstmLayer(weights.orElseThrow(), in, gemm);
    };
  }

  @Override
  public Reading read(ProgramContext tables) {
    for (Weights matrix : weights) {
      if (matrix != null) {
        matrix.read(tables);
      }
    }
    return this::predict;
  }

  private Outcome predict(Batch batch) {
    load(batch, false);
    for (int i = 0; i < layers.length; i++) {
      layers[i].forward(signals[i], signals[i + 1], batch.count());
    }
    return loss.judge(signals[layers.length], batch, false);
  }

  @Override
  public Outcome train(ProgramContext tables, Batch batch, double weightDecay) {
    load(batch, true);
    for (int i = 0; i < layers.length; i++) {
      if (weights[i] instanceof Weights matrix) {
        matrix.read(tables);
      }
      layers[i].forward(signals[i], signals[i + 1], batch.count());
    }
    Outcome judged = loss.judge(signals[layers.length], batch, true);
    double penalty = 0;
    for (int i = layers.length - 1; i >= 0; i--) {
      if (weights[i] instanceof Weights matrix) {
        boolean canBeProducts = weightDecay == 0 && layers[i].givesProducts();
        matrix.beginGradient(tables, batch.count(), canBeProducts);
        layers[i].backward(signals[i], signals[i + 1], batch.count());
        penalty += weightDecay > 0 ? matrix.addDecay(weightDecay * batch.count()) : 0;
        matrix.addGradientsTo(tables);
      } else {
        layers[i].backward(signals[i], signals[i + 1], batch.count());
      }
    }
    return new Outcome(judged.lossSum(), judged.correct(), judged.judged(), penalty);
  }

  private void load(Batch batch, boolean trains) {
    signals[0].wrap(batch.inputs());
    for (int i = 1; i < signals.length; i++) {
      signals[i].resize(batch.count(), trains);
    }
  }
}
