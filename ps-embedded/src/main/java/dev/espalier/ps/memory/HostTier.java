package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Off-heap memory of the host, in zeroed blocks aligned to a cache line, freed all at once.
///
/// Thread-safe.
public final class HostTier implements MemoryTier {
  /// Alignment of every block, a cache line.
  public static final int ALIGNMENT_BYTES = 64;

  private final Arena arena = Arena.ofShared();

  @Override
  public Kind kind() {
    return Kind.HOST;
  }

  @Override
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

  @Override
  public void close() {
    arena.close();
  }
}
