package dev.espalier.ps.gpu;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Pairs of a pinned buffer and a device buffer through which small things travel, in turn, so that
/// the host fills one while the device copies another.
///
/// Everything is queued on one stream; a device buffer is good until its turn comes again, for work
/// of that stream. Not thread-safe.
final class Staging implements AutoCloseable {
  /// How many pairs.
  static final int SLOTS = 4;

  private static final long ALIGNMENT_BYTES = 1 << 16;

  private final CudaDriver driver;
  private final CudaDriver.Stream stream;
  private final List<Slot> slots = new ArrayList<>();
  private int next;

  /// One pair.
  final class Slot {
    private MemorySegment host = MemorySegment.NULL;
    private long device;
    private final CudaDriver.Event copied;

    private Slot(CudaDriver.Event copied) {
      this.copied = copied;
    }

    /// The pinned buffer.
    MemorySegment host() {
      return host;
    }

    /// Address of the device buffer.
    long device() {
      return device;
    }

    /// Queues the copy of the first bytes to the device.
    ///
    /// @return address of the device buffer
    long send(long bytes) {
      if (bytes > 0) {
        driver.copyIn(host.asSlice(0, bytes), device, stream);
        driver.record(copied, stream);
      }
      return device;
    }

    /// Copies the first bytes from the device, after all queued work, and waits for them.
    ///
    /// @return the pinned buffer
    MemorySegment receive(long bytes) {
      driver.copyOut(device, host.asSlice(0, bytes), stream);
      driver.await(stream);
      return host;
    }

    private void grow(long bytes) {
      if (bytes <= host.byteSize()) {
        return;
      }
      release();
      long rounded = (bytes + ALIGNMENT_BYTES - 1) / ALIGNMENT_BYTES * ALIGNMENT_BYTES;
      device = driver.allocate(rounded);
      host = driver.allocatePinned(rounded);
    }

    private void release() {
      if (device != 0) {
        driver.await(stream);
        driver.free(device);
        device = 0;
      }
      if (host.byteSize() > 0) {
        driver.freePinned(host);
        host = MemorySegment.NULL;
      }
    }
  }

  /// Buffers that travel in a stream.
  Staging(CudaDriver driver, CudaDriver.Stream stream) {
    this.driver = driver;
    this.stream = stream;
    for (CudaDriver.Event copied : driver.openEvents(SLOTS)) {
      driver.record(copied, stream);
      slots.add(new Slot(copied));
    }
  }

  /// The next pair, whose pinned buffer may be filled.
  ///
  /// @param bytes that both buffers have at least
  Slot take(long bytes) {
    Slot slot = slots.get(next);
    next = (next + 1) % SLOTS;
    driver.await(slot.copied);
    slot.grow(bytes);
    return slot;
  }

  @Override
  public void close() {
    Releases all = new Releases();
    for (Slot slot : slots) {
      all.run(slot::release);
      all.run(() -> driver.close(slot.copied));
    }
    all.end();
  }
}
