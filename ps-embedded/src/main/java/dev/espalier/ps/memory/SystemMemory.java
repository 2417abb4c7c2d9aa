package dev.espalier.ps.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Memory as the operating system gives it: in large pages, or for code. Linux only.
///
/// Large pages are asked for, not demanded: whether the system has them to give changes speed
/// alone. Thread-safe.
final class SystemMemory {
  /// Size and alignment of a large page.
  static final long LARGE_PAGE_BYTES = 2L << 20;

  private static final long CODE_PAGE_BYTES = 4096;
  private static final int READ_WRITE = 3;
  private static final int READ_EXECUTE = 5;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final int ADVISE_LARGE_PAGES = 14;
  private static final long FAILED = -1;
  private static final Optional<SystemMemory> HERE = make();

  private final MethodHandle map;
  private final MethodHandle unmap;
  private final MethodHandle protect;
  private final MethodHandle advise;

  @SuppressWarnings("restricted") // signatures as POSIX has them
  private SystemMemory(Linker linker) {
    map =
        linker.downcallHandle(
            linker.defaultLookup().find("mmap").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG));
    unmap = onRange(linker, "munmap");
    protect = onRangeWith(linker, "mprotect");
    advise = onRangeWith(linker, "madvise");
  }

  @SuppressWarnings("restricted")
  private static MethodHandle onRange(Linker linker, String name) {
    return linker.downcallHandle(
        linker.defaultLookup().find(name).orElseThrow(),
        FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
  }

  @SuppressWarnings("restricted")
  private static MethodHandle onRangeWith(Linker linker, String name) {
    return linker.downcallHandle(
        linker.defaultLookup().find(name).orElseThrow(),
        FunctionDescriptor.of(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_INT));
  }

  private static Optional<SystemMemory> make() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    try {
      return Optional.of(new SystemMemory(Linker.nativeLinker()));
    } catch (RuntimeException | LinkageError e) {
      System.getLogger(SystemMemory.class.getName())
          .log(System.Logger.Level.INFO, "largePages=off reason={0}", e);
      return Optional.empty();
    }
  }

  /// The memory of this system, if it can be asked.
  static Optional<SystemMemory> ofThisSystem() {
    return HERE;
  }

  /// Zeroed memory aligned to a large page, which takes memory where it is touched.
  ///
  /// @param arena frees it
  /// @return empty when the system has none
  @SuppressWarnings("restricted") // the system says where and how large it is
  Optional<MemorySegment> allocate(long bytes, Arena arena) {
    long size = (bytes + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    long start = map(size + LARGE_PAGE_BYTES);
    if (start == FAILED) {
      return Optional.empty();
    }
    long aligned = (start + LARGE_PAGE_BYTES - 1) / LARGE_PAGE_BYTES * LARGE_PAGE_BYTES;
    unmap(start, aligned - start);
    unmap(aligned + size, start + LARGE_PAGE_BYTES - aligned);
    if (call(advise, aligned, size, ADVISE_LARGE_PAGES) != 0) {
      System.getLogger(SystemMemory.class.getName())
          .log(System.Logger.Level.DEBUG, "the system has no large pages to give");
    }
    return Optional.of(
        MemorySegment.ofAddress(aligned).reinterpret(bytes, arena, _ -> unmap(aligned, size)));
  }

  /// Memory that holds code and is never freed.
  ///
  /// @throws IllegalStateException when the system allows no new code
  @SuppressWarnings("restricted") // a page
  MemorySegment code(byte[] code) {
    long start = map(CODE_PAGE_BYTES);
    if (start == FAILED) {
      throw new IllegalStateException("the system has no page for code");
    }
    MemorySegment page = MemorySegment.ofAddress(start).reinterpret(CODE_PAGE_BYTES);
    MemorySegment.copy(code, 0, page, ValueLayout.JAVA_BYTE, 0, code.length);
    if (call(protect, start, CODE_PAGE_BYTES, READ_EXECUTE) != 0) {
      unmap(start, CODE_PAGE_BYTES);
      throw new IllegalStateException("the system allows no new code");
    }
    return page;
  }

  private long map(long bytes) {
    try {
      return (long) map.invokeExact(0L, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private void unmap(long start, long bytes) {
    if (bytes > 0 && unmapped(start, bytes) != 0) {
      throw new IllegalStateException("memory of the process cannot be given back");
    }
  }

  private int unmapped(long start, long bytes) {
    try {
      return (int) unmap.invokeExact(start, bytes);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private static int call(MethodHandle handle, long start, long bytes, int how) {
    try {
      return (int) handle.invokeExact(start, bytes, how);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }
}
