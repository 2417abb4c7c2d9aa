package dev.espalier.ps.gpu;

import dev.espalier.ps.memory.MemoryTier;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.Lock;

/// Memory of the host that stays in place, so that the device copies it at full speed and while
/// both sides do other work.
///
/// Reads and writes wait for pages that are on their way from the device. Thread-safe.
final class PinnedTier implements MemoryTier {
  private final CudaDriver driver;
  private final CudaDriver.Stream outbound;
  private final Lock departing;
  private final List<MemorySegment> blocks = new ArrayList<>();

  PinnedTier(Gpu gpu) {
    driver = gpu.driver();
    outbound = gpu.outbound();
    departing = gpu.departing();
  }

  @Override
  public Kind kind() {
    return Kind.PINNED;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    MemorySegment block = driver.allocatePinned(bytes);
    blocks.add(block);
    return block;
  }

  @Override
  public void awaitMoves() {
    // Whoever is sending pages away has queued their copies when it lets the lock go.
    departing.lock();
    departing.unlock();
    driver.await(outbound);
  }

  @Override
  public synchronized void close() {
    Releases all = new Releases();
    blocks.forEach(block -> all.run(() -> driver.freePinned(block)));
    blocks.clear();
    all.end();
  }
}
