package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Off-heap memory of the host, in zeroed blocks aligned to a cache line, freed all at once.
///
/// Thread-safe.
public final class HostTier implements AutoCloseable {
  /// Alignment of every block, a cache line.
  public static final int ALIGNMENT_BYTES = 64;

  private final Arena arena = Arena.ofShared();

  /// Allocates a block of zeros.
  ///
  /// @param bytes its size
  /// @throws PsException `OUT_OF_MEMORY_BUDGET` when the process may not have more memory
  public MemorySegment allocate(long bytes) {
    try {
      return arena.allocate(bytes, ALIGNMENT_BYTES);
    } catch (OutOfMemoryError e) {
      throw new PsException(
          PsFault.OUT_OF_MEMORY_BUDGET,
          "the process cannot have %d more off-heap bytes (-XX:MaxDirectMemorySize bounds them)"
              .formatted(bytes),
          e);
    }
  }

  /// Frees every block.
  @Override
  public void close() {
    arena.close();
  }
}
