package dev.espalier.programs.nn;

import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.CHOICE;
import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.INTEGER;
import static dev.espalier.api.model.ProgramDescriptor.Argument.Type.INTEGER_LIST;

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
            new Argument(
                "channels",
                "channels of the convolutions",
                INTEGER_LIST,
                "16,32",
                1.0,
                2048.0,
                List.of()),
            new Argument(
                "kernel",
                "side of the convolutions' window, an odd number",
                INTEGER,
                "3",
                1.0,
                31.0,
                List.of()),
            new Argument(
                "pooling",
                "what stands for 2 x 2 positions",
                CHOICE,
                "max",
                null,
                null,
                List.of("max", "mean")),
            new Argument(
                "hidden",
                "widths of the hidden dense layers",
                INTEGER_LIST,
                "64",
                1.0,
                16384.0,
                List.of()),
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
