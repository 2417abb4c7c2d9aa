package dev.espalier.ps.shard;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.gpu.DeviceRows;
import dev.espalier.ps.gpu.Gpu;
import dev.espalier.ps.gpu.GpuProvider;
import java.util.Optional;

/// The device that a shard may use, and how much of it.
///
/// @param gpu opened, to be closed
/// @param bytes for pages
record DeviceMemory(Gpu gpu, long bytes) {
  private static final System.Logger LOG = System.getLogger(DeviceMemory.class.getName());

  /// Opens the device if the shard wants one; where that cannot be, says why: everything is on the
  /// host then.
  static Optional<DeviceMemory> of(ShardConfig config) {
    if (config.deviceBytes() == 0 || !GpuProvider.chosen().isPresent()) {
      return Optional.empty();
    }
    try {
      return fitting(GpuProvider.chosen().open(), config);
    } catch (PsException e) {
      LOG.log(System.Logger.Level.WARNING, "gpu=none reason={0}", e.getMessage());
      return Optional.empty();
    }
  }

  private static Optional<DeviceMemory> fitting(Gpu gpu, ShardConfig config) {
    long free;
    try {
      free = Math.max(0, gpu.freeBytes() - DeviceRows.STAGING_BYTES);
    } catch (PsException e) {
      closeAfter(gpu, e);
      throw e;
    }
    if (config.deviceBytes() <= free) {
      return Optional.of(new DeviceMemory(gpu, config.deviceBytes()));
    }
    boolean holdsPages = free >= DeviceWork.MIN_PAGES * config.densePageBytes();
    LOG.log(
        System.Logger.Level.WARNING,
        "of the memory of {0} only {1} of the {2} wanted bytes are free: pages take {3}",
        gpu.device().name(),
        Long.toString(free),
        Long.toString(config.deviceBytes()),
        holdsPages ? "no more" : "memory of the host");
    if (holdsPages) {
      return Optional.of(new DeviceMemory(gpu, free));
    }
    gpu.close();
    return Optional.empty();
  }

  /// Closes the device, since what it was opened for failed.
  void closeAfter(RuntimeException failure) {
    closeAfter(gpu, failure);
  }

  private static void closeAfter(Gpu gpu, RuntimeException failure) {
    try {
      gpu.close();
    } catch (PsException e) {
      failure.addSuppressed(e);
    }
  }
}
