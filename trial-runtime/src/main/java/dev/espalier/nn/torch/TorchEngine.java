package dev.espalier.nn.torch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.nn.Network;
import dev.espalier.nn.NetworkSpec;
import dev.espalier.nn.NeuralEngine;

/// Networks computed by libtorch.
public enum TorchEngine implements NeuralEngine {
  /// On the host.
  HOST("torch", -1),
  /// On the GPU whose number the system property `espalier.gpu` says, the first one otherwise,
  /// where the tables are, too.
  GPU("cuda", Integer.getInteger("espalier.gpu", 0));

  private final String title;
  private final int device;

  TorchEngine(String title, int device) {
    this.title = title;
    this.device = device;
  }

  @Override
  public String title() {
    return title;
  }

  /// @throws EspalierException `INVALID_JOB` when this machine lacks what the engine needs
  @Override
  public Network build(NetworkSpec spec) {
    return switch (TorchLibrary.probe()) {
      case TorchLibrary.Missing(String reason) ->
          throw new EspalierException(ErrorCode.INVALID_JOB, "engine " + title + ": " + reason);
      case TorchLibrary.Found found when device >= found.devices() ->
          throw new EspalierException(
              ErrorCode.INVALID_JOB,
              "engine %s needs a GPU, but libtorch %s at %s finds %d"
                  .formatted(title, found.version(), found.file(), found.devices()));
      case TorchLibrary.Found found -> new TorchNetwork(spec, found.library(), device);
    };
  }
}
