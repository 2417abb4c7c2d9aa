package dev.espalier.ps.gpu;

import dev.espalier.ps.memory.MemoryTier;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Memory of the host that stays in place, so that the device copies it at full speed and while
/// both sides do other work. Thread-safe.
final class PinnedTier implements MemoryTier {
  private final CudaDriver driver;
  private final List<MemorySegment> blocks = new ArrayList<>();

  PinnedTier(CudaDriver driver) {
    this.driver = driver;
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
  public synchronized void close() {
    blocks.forEach(driver::freePinned);
    blocks.clear();
  }
}
