package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.machine.SystemMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Off-heap memory of the host, in zeroed blocks aligned to a cache line, freed all at once.
///
/// Under Linux, blocks of 2 MiB and more that are a multiple of 64 KiB lie in large pages where the
/// system has such, and take memory as they are written; the JVM does not count those, as it does
/// others (`-XX:MaxDirectMemorySize`). Thread-safe.
public final class HostTier implements MemoryTier {
  /// Alignment of every block, a cache line.
  public static final int ALIGNMENT_BYTES = 64;

  private final Optional<SystemMemory> system = SystemMemory.ofThisSystem();
  private final Arena arena = Arena.ofShared();

  @Override
  public Kind kind() {
    return Kind.HOST;
  }

  @Override
  public MemorySegment allocate(long bytes) {
    if (system.isPresent()
        && bytes >= SystemMemory.LARGE_PAGE_BYTES
        && bytes % SystemMemory.GRAIN_BYTES == 0) {
      return large(system.get(), bytes);
    }
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

  private MemorySegment large(SystemMemory from, long bytes) {
    return from.mapLarge(bytes, arena)
        .orElseThrow(() ->
            new PsException(
                PsFault.OUT_OF_MEMORY_BUDGET,
                "the system has no %d more bytes for pages".formatted(bytes)));
  }

  @Override
  public void close() {
    arena.close();
  }
}
