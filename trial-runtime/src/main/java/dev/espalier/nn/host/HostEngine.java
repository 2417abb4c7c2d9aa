package dev.espalier.nn.host;

import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NeuralEngine;

/// Networks computed in Java, on one thread; same inputs and parameters, same bits on every
/// machine.
public final class HostEngine implements NeuralEngine {
  @Override
  public String title() {
    return "java";
  }

  @Override
  public Network build(NetworkSpec spec) {
    return new HostNetwork(spec);
  }
}
