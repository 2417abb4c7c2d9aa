package dev.espalier.nn;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// Small networks of every kind, which every engine must compute.
public final class TestNetworks {
  private TestNetworks() {}

  /// {@return networks of all kinds of layers}
  public static Stream<NetworkSpec> all() {
    var image = new Shape(5, 7, 3);
    var sequence = new Shape(1, 6, 4);
    var scores = new LayerSpec.Dense(5, Activation.NONE);
    return Stream.of(
        new NetworkSpec(image, List.of(scores)),
        new NetworkSpec(image, List.of(new LayerSpec.Dense(6, Activation.RELU), scores)),
        new NetworkSpec(image, List.of(new LayerSpec.Convolution(4, 3, Activation.TANH), scores)),
        new NetworkSpec(
            image,
            List.of(
                new LayerSpec.Convolution(4, 5, Activation.NONE),
                new LayerSpec.Convolution(3, 3, Activation.RELU),
                scores)),
        new NetworkSpec(
            image,
            List.of(
                new LayerSpec.Convolution(4, 1, Activation.NONE),
                new LayerSpec.Pooling(true, 2),
                scores)),
        new NetworkSpec(
            image,
            List.of(
                new LayerSpec.Convolution(4, 3, Activation.NONE),
                new LayerSpec.Pooling(false, 3),
                scores)),
        new NetworkSpec(
            sequence,
            List.of(
                new LayerSpec.Convolution(3, 1, Activation.NONE),
                new LayerSpec.Lstm(5),
                new LayerSpec.Lstm(4),
                new LayerSpec.Convolution(3, 1, Activation.NONE))),
        new NetworkSpec(
            new Shape(1, 6, 1),
            List.of(
                new LayerSpec.Embedding(7, 3),
                new LayerSpec.Lstm(5),
                new LayerSpec.Convolution(7, 1, Activation.NONE))));
  }

  /// {@return a batch of chance, one label missing where there are several}
  public static Batch batch(NetworkSpec spec, int count, Random random) {
    var batch = new Batch(spec);
    batch.resize(count);
    boolean tokens = spec.layers().getFirst() instanceof LayerSpec.Embedding;
    for (int i = 0; i < count * spec.input().size(); i++) {
      batch.inputs()[i] = tokens ? random.nextInt(7) : (float) random.nextGaussian();
    }
    int labels = count * spec.scores().positions();
    for (int i = 0; i < labels; i++) {
      batch.labels()[i] = random.nextInt(spec.scores().channels());
    }
    if (spec.scores().positions() > 1) {
      batch.labels()[random.nextInt(labels)] = Batch.UNLABELLED;
    }
    return batch;
  }
}
