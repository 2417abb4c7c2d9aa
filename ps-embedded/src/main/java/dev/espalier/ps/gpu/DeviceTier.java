package dev.espalier.ps.gpu;

import dev.espalier.ps.memory.MemoryTier;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory of a device.
///
/// Zeros and copies are queued behind the kernels of the device's stream; copies from and to the
/// host wait for them and for pages that are on their way to the device. Copies to the host are
/// made beside the kernels, on a stream of their own. Thread-safe.
final class DeviceTier implements MemoryTier {
  private final CudaDriver driver;
  private final CudaDriver.Stream stream;
  private final CudaDriver.Stream inbound;
  private final CudaDriver.Stream reading;
  private final List<MemorySegment> blocks = new ArrayList<>();

  DeviceTier(Gpu gpu) {
    driver = gpu.driver();
    stream = gpu.stream();
    inbound = gpu.inbound();
    reading = gpu.reading();
  }

  @Override
  public Kind kind() {
    return Kind.DEVICE;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    MemorySegment block = MemorySegment.ofAddress(driver.allocate(bytes));
    blocks.add(block);
    return block;
  }

  @Override
  public MemorySegment slice(MemorySegment block, long offset, long bytes) {
    return MemorySegment.ofAddress(block.address() + offset);
  }

  @Override
  public void zero(MemorySegment block, long bytes) {
    driver.zero(block.address(), bytes, stream);
  }

  @Override
  public void copy(MemorySegment from, MemorySegment to, long bytes) {
    driver.copy(from.address(), to.address(), bytes, stream);
  }

  @Override
  public void awaitMoves() {
    driver.await(inbound);
    driver.await(stream);
  }

  @Override
  public void download(MemorySegment from, long offset, MemorySegment to) {
    awaitMoves();
    downloadArrived(from, offset, to);
  }

  @Override
  public void downloadArrived(MemorySegment from, long offset, MemorySegment to) {
    driver.copyOut(from.address() + offset, to, reading);
    driver.await(reading);
  }

  @Override
  public void upload(MemorySegment from, MemorySegment to, long offset) {
    driver.await(inbound);
    driver.copyIn(from, to.address() + offset, stream);
    driver.await(stream);
  }

  @Override
  public synchronized void close() {
    Releases all = new Releases();
    all.run(() -> driver.await(stream));
    blocks.forEach(block -> all.run(() -> driver.free(block.address())));
    blocks.clear();
    all.end();
  }
}
