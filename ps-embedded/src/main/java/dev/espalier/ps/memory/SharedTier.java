package dev.espalier.ps.memory;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.machine.SystemMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.UUID;

/// Memory of the host that other processes of it may read where it lies: a file without a name in
/// the memory of the system (`memfd_create`), mapped as a whole and given out from its start.
///
/// The system takes memory for what was written, not for the file's size. The first bytes are a
/// mark that no other such file has: a path below `/proc` means another file, or none, to a process
/// that numbers processes otherwise, as in another container. Linux only. Thread-safe.
public final class SharedTier implements MemoryTier {
  /// What the system gives memory in; the file is as many of them.
  private static final long SYSTEM_PAGE_BYTES = 4096;

  /// Bytes of the file before the first block, the mark among them.
  private static final long HEAD_BYTES = SYSTEM_PAGE_BYTES;

  private static final ValueLayout.OfLong MARK =
      ValueLayout.JAVA_LONG.withOrder(ByteOrder.BIG_ENDIAN);

  private final SystemMemory system;
  private final Arena arena = Arena.ofShared();
  private final int file;
  private final MemorySegment all;
  private final UUID mark = UUID.randomUUID();
  private long used = HEAD_BYTES;

  private SharedTier(SystemMemory system, int file, long bytes) {
    this.system = system;
    this.file = file;
    all = system.map(file, bytes, arena);
    all.set(MARK, 0, mark.getMostSignificantBits());
    all.set(MARK, Long.BYTES, mark.getLeastSignificantBits());
  }

  /// Makes such memory.
  ///
  /// @param bytes the most that can be given out, >= 1
  /// @return empty where the system has none
  public static Optional<SharedTier> ofSize(long bytes) {
    long size = HEAD_BYTES + Math.ceilDiv(bytes, SYSTEM_PAGE_BYTES) * SYSTEM_PAGE_BYTES;
    return SystemMemory.ofThisSystem().flatMap(system -> make(system, size));
  }

  private static Optional<SharedTier> make(SystemMemory system, long size) {
    int file = -1;
    try {
      file = system.makeFile("espalier-pages", size);
      return Optional.of(new SharedTier(system, file, size));
    } catch (IllegalStateException e) {
      if (file >= 0) {
        system.close(file);
      }
      System.getLogger(SharedTier.class.getName())
          .log(System.Logger.Level.INFO, "sharedPages=off reason={0}", e.getMessage());
      return Optional.empty();
    }
  }

  /// The file under which processes of the same user can open it for as long as it is not closed.
  public String path() {
    return "/proc/%s/fd/%s".formatted(ProcessHandle.current().pid(), file);
  }

  /// The first 16 bytes of the file, by which whoever opened a path knows that it is this file.
  public UUID mark() {
    return mark;
  }

  /// Size of the file.
  public long bytes() {
    return all.byteSize();
  }

  /// Where in the file a part of a block begins.
  public long offsetOf(MemorySegment part) {
    return part.address() - all.address();
  }

  @Override
  public Kind kind() {
    return Kind.HOST;
  }

  @Override
  public synchronized MemorySegment allocate(long bytes) {
    long size = Math.ceilDiv(bytes, HostTier.ALIGNMENT_BYTES) * HostTier.ALIGNMENT_BYTES;
    if (size > all.byteSize() - used) {
      throw new PsException(
          PsFault.OUT_OF_MEMORY_BUDGET,
          "%d more bytes are needed, but %d of %d bytes of shared memory are taken"
              .formatted(bytes, used - HEAD_BYTES, all.byteSize() - HEAD_BYTES));
    }
    MemorySegment block = all.asSlice(used, size);
    used += size;
    return block.asSlice(0, bytes);
  }

  @Override
  public void close() {
    arena.close();
    system.close(file);
  }
}
