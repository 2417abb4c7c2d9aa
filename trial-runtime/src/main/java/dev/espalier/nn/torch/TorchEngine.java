package dev.espalier.nn.torch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NeuralEngine;
import dev.espalier.ps.gpu.GpuProbe;
import dev.espalier.ps.gpu.GpuProvider;

/// Networks computed by libtorch.
public enum TorchEngine implements NeuralEngine {
  /// On the host.
  HOST("torch"),
  /// On the GPU where the tables are if they are on one; else on the first one.
  GPU("cuda");

  private static final int HOST_DEVICE = -1;

  private final String title;

  TorchEngine(String title) {
    this.title = title;
  }

  @Override
  public String title() {
    return title;
  }

  /// @throws EspalierException `INVALID_JOB` when this machine lacks what the engine needs
  @Override
  public Network build(NetworkSpec spec) {
    int device = this == HOST ? HOST_DEVICE : deviceOf(GpuProvider.chosen());
    return switch (TorchLibrary.probe()) {
      case TorchLibrary.Missing(String reason) -> throw refused(reason);
      case TorchLibrary.Found found when device >= found.devices() ->
          throw new EspalierException(
              ErrorCode.INVALID_JOB,
              "engine %s needs GPU %d, but libtorch %s at %s finds %d"
                  .formatted(title, device, found.version(), found.file(), found.devices()));
      case TorchLibrary.Found found -> new TorchNetwork(spec, found.library(), device);
    };
  }

  /// A driver that is too old for our kernels may be new enough for libtorch.
  private int deviceOf(GpuProvider choice) {
    if (choice.isSwitchedOff()) {
      throw refused("GPUs are switched off by " + choice.reason());
    }
    return choice.device().map(GpuProbe.Device::index).orElse(0);
  }

  private EspalierException refused(String reason) {
    return new EspalierException(ErrorCode.INVALID_JOB, "engine " + title + ": " + reason);
  }
}
