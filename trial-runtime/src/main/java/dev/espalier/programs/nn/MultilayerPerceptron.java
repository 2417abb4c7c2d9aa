package dev.espalier.programs.nn;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.ProgramDescriptor.Argument;
import dev.espalier.nn.Activation;
import dev.espalier.nn.LayerSpec;
import dev.espalier.sdk.ProgramEnvironment;
import java.util.ArrayList;
import java.util.List;

/// A multilayer perceptron for classification; without hidden layers, softmax regression.
public final class MultilayerPerceptron extends Classifier {
  @Override
  public ProgramDescriptor describe() {
    return new ProgramDescriptor(
        "mlp",
        "Classifies images or generated vectors with a multilayer perceptron.",
        false,
        withCommonArguments(
            Argument.integers("hidden", "widths of the hidden layers", "128").within(1, 16384),
            NetworkTraining.activationArgument()),
        tunables(),
        metrics());
  }

  @Override
  ClassificationData generate() {
    return GeneratedClasses.generate();
  }

  @Override
  List<LayerSpec> layers(ProgramEnvironment environment, ClassificationData data) {
    Activation activation = NetworkTraining.activation(environment);
    var layers = new ArrayList<LayerSpec>();
    for (int width : NetworkTraining.sizes(environment, "hidden")) {
      layers.add(new LayerSpec.Dense(width, activation));
    }
    layers.add(new LayerSpec.Dense(data.classes(), Activation.NONE));
    return layers;
  }
}
