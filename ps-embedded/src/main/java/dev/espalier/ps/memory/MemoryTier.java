package dev.espalier.ps.memory;

import java.lang.foreign.MemorySegment;

/// A kind of memory that pages lie in, and how their bytes are reached.
///
/// Blocks are named by segments. Where the host can address the memory they have a size and may be
/// read and written; where it cannot (`DEVICE`) they have an address and size 0, so that a mistaken
/// access is an exception and not a crash. Thread-safe.
public interface MemoryTier extends AutoCloseable {

  /// Where the memory is.
  enum Kind {
    /// Ordinary memory of the host.
    HOST,
    /// Memory of the host that stays in place, so that a device can copy it by itself.
    PINNED,
    /// Memory of a device, which the host cannot address.
    DEVICE
  }

  /// Where the memory is.
  Kind kind();

  /// Allocates a block, aligned to at least [HostTier#ALIGNMENT_BYTES].
  ///
  /// @param bytes its size, >= 1
  /// @throws dev.espalier.ps.fault.PsException `OUT_OF_MEMORY_BUDGET` when there is no more
  MemorySegment allocate(long bytes);

  /// A part of a block.
  default MemorySegment slice(MemorySegment block, long offset, long bytes) {
    return block.asSlice(offset, bytes);
  }

  /// Fills the start of a block with zeros.
  default void zero(MemorySegment block, long bytes) {
    block.asSlice(0, bytes).fill((byte) 0);
  }

  /// Copies the start of a block to the start of another one of this tier.
  default void copy(MemorySegment from, MemorySegment to, long bytes) {
    MemorySegment.copy(from, 0, to, 0, bytes);
  }

  /// Waits for bytes that are on their way to this tier or being written there.
  ///
  /// Takes the locks of whoever moves pages, who in turn waits for pages that are being copied: to
  /// be called while holding none of those.
  default void awaitMoves() {}

  /// Copies bytes of a block to memory of the host; they are there when this returns.
  ///
  /// @param to memory of the host; its size says how much is copied
  default void download(MemorySegment from, long offset, MemorySegment to) {
    MemorySegment.copy(from, offset, to, 0, to.byteSize());
  }

  /// The same for bytes that had come when [#awaitMoves] was called last and are not written since:
  /// waits for nothing that was queued later.
  default void downloadArrived(MemorySegment from, long offset, MemorySegment to) {
    download(from, offset, to);
  }

  /// Copies memory of the host into a block; it may be changed again when this returns.
  ///
  /// @param from memory of the host; its size says how much is copied
  default void upload(MemorySegment from, MemorySegment to, long offset) {
    MemorySegment.copy(from, 0, to, offset, from.byteSize());
  }

  /// Frees every block.
  @Override
  void close();
}
