package dev.espalier.programs.nn;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.nn.Activation;
import dev.espalier.nn.LayerSpec;
import dev.espalier.nn.Shape;
import dev.espalier.sdk.ProgramEnvironment;
import java.util.ArrayList;
import java.util.List;

/// A convolutional network for images: convolutions, each with a pooling of 2 x 2 behind it, then
/// dense layers.
public final class ConvolutionalNetwork extends Classifier {
  private static final int POOLED = 2;

  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "cnn",
        "Classifies images with a convolutional network.",
        false,
        withCommonArguments(
            Argument.integers("channels", "channels of the convolutions", "16,32").within(1, 2048),
            Argument.integer("kernel", "side of the convolutions' window, an odd number", 3)
                .within(1, 31),
            Argument.choice(
                "pooling", "what stands for 2 x 2 positions", "max", List.of("max", "mean")),
            Argument.integers("hidden", "widths of the hidden dense layers", "64").within(1, 16384),
            NetworkTraining.activationArgument()),
        tunables(),
        metrics());
  }

  @Override
  ClassificationData generate() {
    return GeneratedImages.generate();
  }

  @Override
  List<LayerSpec> layers(ProgramEnvironment environment, ClassificationData data) {
    int kernel = environment.integer("kernel");
    if (kernel % 2 == 0) {
      throw invalid("kernel must be odd but is " + kernel);
    }
    Activation activation = NetworkTraining.activation(environment);
    boolean largest = environment.text("pooling").equals("max");
    var layers = new ArrayList<LayerSpec>();
    Shape shape = data.shape();
    for (int channels : NetworkTraining.sizes(environment, "channels")) {
      if (Math.min(shape.height(), shape.width()) < POOLED) {
        throw invalid(
            "channels has too many convolutions: images of "
                + data.shape()
                + " are "
                + shape
                + " after "
                + layers.size() / 2);
      }
      layers.add(new LayerSpec.Convolution(channels, kernel, activation));
      layers.add(new LayerSpec.Pooling(largest, POOLED));
      shape = new Shape(shape.height() / POOLED, shape.width() / POOLED, channels);
    }
    for (int width : NetworkTraining.sizes(environment, "hidden")) {
      layers.add(new LayerSpec.Dense(width, activation));
    }
    layers.add(new LayerSpec.Dense(data.classes(), Activation.NONE));
    return layers;
  }

  private static EspalierException invalid(String message) {
    return new EspalierException(ErrorCode.INVALID_JOB, message);
  }
}
