package dev.espalier.ps.gpu;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.memory.MemoryTier;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/// A device in use: its driver, its kernels, the stream on which they run, and one stream each for
/// pages that move to the device and from it, and for those that are read where they are.
///
/// Work of a stream is done in order; what copies to the host waits for it. Thread-safe.
public final class Gpu implements AutoCloseable {
  private final GpuProbe.Device device;
  private final CudaDriver driver;
  private final CudaDriver.Stream stream;
  private final CudaDriver.Stream inbound;
  private final CudaDriver.Stream outbound;
  private final CudaDriver.Stream reading;
  private final ReentrantLock departing = new ReentrantLock();

  private Gpu(GpuProbe.Device device, CudaDriver driver) {
    this.device = device;
    this.driver = driver;
    List<CudaDriver.Stream> streams = driver.openStreams(4);
    stream = streams.get(0);
    inbound = streams.get(1);
    outbound = streams.get(2);
    reading = streams.get(3);
  }

  /// Opens the first device that can be used.
  ///
  /// @throws PsException `DEVICE_FAILED` with the reason when there is none or it is busy
  public static Gpu open() {
    return switch (GpuProbe.probe()) {
      case GpuProbe.Missing missing ->
          throw new PsException(PsFault.DEVICE_FAILED, missing.reason());
      case GpuProbe.Found found -> open(found.devices().getFirst());
    };
  }

  /// Opens a device.
  ///
  /// @param device from [GpuProbe#probe]
  /// @throws PsException `DEVICE_FAILED` with the reason when it cannot be used
  public static Gpu open(GpuProbe.Device device) {
    return open(device, Ptx.kernels());
  }

  /// Opens a device with other kernels than those of this package.
  static Gpu open(GpuProbe.Device device, byte[] ptx) {
    CudaDriver driver = CudaDriver.open(device.index(), ptx);
    try {
      return new Gpu(device, driver);
    } catch (RuntimeException e) {
      Releases all = new Releases();
      all.run(driver::close);
      throw all.because(e);
    }
  }

  /// What the probe said of it.
  public GpuProbe.Device device() {
    return device;
  }

  /// Memory of the device; closed by the caller.
  public MemoryTier deviceTier() {
    return new DeviceTier(this);
  }

  /// Memory of the host that the device can copy by itself; closed by the caller.
  public MemoryTier pinnedTier() {
    return new PinnedTier(this);
  }

  /// Bytes of the device that no process has.
  public long freeBytes() {
    return driver.freeBytes();
  }

  /// Queues a copy between two places of the device behind the kernels.
  public void copy(long from, long to, long bytes) {
    driver.copy(from, to, bytes, stream);
  }

  /// Waits until all queued work is done.
  ///
  /// @throws PsException `DEVICE_FAILED` when some of it failed
  public void await() {
    driver.await(inbound);
    driver.await(stream);
    driver.await(outbound);
  }

  /// Waits until the queued kernels are done, and the moves that they wait for.
  ///
  /// @throws PsException `DEVICE_FAILED` when some of it failed
  public void awaitKernels() {
    driver.await(stream);
  }

  /// The driver.
  CudaDriver driver() {
    return driver;
  }

  /// The stream on which kernels run.
  CudaDriver.Stream stream() {
    return stream;
  }

  /// The stream on which pages move to the device.
  CudaDriver.Stream inbound() {
    return inbound;
  }

  /// The stream on which pages move from the device.
  CudaDriver.Stream outbound() {
    return outbound;
  }

  /// The stream on which pages are copied to the host that stay where they are; who queues a copy
  /// waits for it.
  CudaDriver.Stream reading() {
    return reading;
  }

  /// Held from when a page says that it lies in pinned memory until its copy to there is queued.
  Lock departing() {
    return departing;
  }

  /// Waits for queued work and gives the device back; memory must have been freed.
  @Override
  public void close() {
    Releases all = new Releases();
    all.run(this::await);
    for (CudaDriver.Stream open : List.of(stream, inbound, outbound, reading)) {
      all.run(() -> driver.close(open));
    }
    all.run(driver::close);
    all.end();
  }
}
