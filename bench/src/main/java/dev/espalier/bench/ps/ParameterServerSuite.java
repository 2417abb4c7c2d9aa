package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Rounds;
import dev.espalier.bench.frame.Suite;
import dev.espalier.bench.net.MessageRates;
import java.util.List;

/// `espalier bench ps`: every figure of `docs/PERFORMANCE.md`.
public final class ParameterServerSuite {
  private ParameterServerSuite() {}

  /// {@return the suite}
  public static Suite suite() {
    return new Suite(
        "ps",
        "the parameter server beside the machine's limits, for docs/PERFORMANCE.md",
        ParameterServerSuite::parts);
  }

  private static List<Suite.Part> parts(boolean isQuick) {
    return List.of(kernels(isQuick), branches(isQuick), network(isQuick));
  }

  private static Suite.Part kernels(boolean isQuick) {
    return new Suite.Part(
        "kernels",
        List.of(
            isQuick
                ? new KernelBandwidth(16, new Rounds(2, 3))
                : new KernelBandwidth(64, new Rounds(3, 11))));
  }

  private static Suite.Part branches(boolean isQuick) {
    return new Suite.Part(
        "branches", List.of(isQuick ? new ForkCost(128, 5) : new ForkCost(1024, 21)));
  }

  private static Suite.Part network(boolean isQuick) {
    return new Suite.Part(
        "network", List.of(new MessageRates(isQuick ? new Rounds(1, 1) : new Rounds(3, 9))));
  }
}
