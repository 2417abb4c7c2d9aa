package dev.espalier.ps.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Memory for code, in large pages, and as files, as the operating system gives it; Linux only.
/// Thread-safe.
public final class SystemMemory {
  /// Size of a large page.
  public static final long LARGE_PAGE_BYTES = 2L << 20;

  /// Any system's small pages are parts of so much.
  public static final long GRAIN_BYTES = 64 << 10;

  private static final long CODE_PAGE_BYTES = 4096;
  private static final int READ_WRITE = 3;
  private static final int READ_EXECUTE = 5;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final int SHARED_UNRESERVED = 0x4001;
  private static final int CLOSE_ON_EXEC = 1;
  private static final int HUGE_PAGE = 14;
  private static final long FAILED = -1;
  private static final Optional<SystemMemory> HERE = make();

  private final MethodHandle map;
  private final MethodHandle protect;
  private final MethodHandle unmap;
  private final MethodHandle advise;
  private final MethodHandle createFile;
  private final MethodHandle resize;
  private final MethodHandle closeFile;

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
    protect =
        linker.downcallHandle(
            linker.defaultLookup().find("mprotect").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    unmap =
        linker.downcallHandle(
            linker.defaultLookup().find("munmap").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));
    advise =
        linker.downcallHandle(
            linker.defaultLookup().find("madvise").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_INT));
    createFile =
        linker.downcallHandle(
            linker.defaultLookup().find("memfd_create").orElseThrow(),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
    resize =
        linker.downcallHandle(
            linker.defaultLookup().find("ftruncate").orElseThrow(),
            FunctionDescriptor.of(
                ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));
    closeFile =
        linker.downcallHandle(
            linker.defaultLookup().find("close").orElseThrow(),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
  }

  private static Optional<SystemMemory> make() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return Optional.empty();
    }
    try {
      return Optional.of(new SystemMemory(Linker.nativeLinker()));
    } catch (RuntimeException | LinkageError e) {
      System.getLogger(SystemMemory.class.getName())
          .log(System.Logger.Level.INFO, "systemMemory=off reason={0}", e);
      return Optional.empty();
    }
  }

  /// The memory of this system, if it can be asked.
  public static Optional<SystemMemory> ofThisSystem() {
    return HERE;
  }

  /// Memory that holds code and is never freed.
  ///
  /// @throws IllegalArgumentException when the code is longer than a page, 4096 bytes
  /// @throws IllegalStateException when the system allows no new code
  @SuppressWarnings("restricted") // a page
  MemorySegment code(byte[] code) {
    long start = map(CODE_PAGE_BYTES);
    if (start == FAILED) {
      throw new IllegalStateException("the system has no page for code");
    }
    if (code.length > CODE_PAGE_BYTES) {
      unmap(start, CODE_PAGE_BYTES);
      throw new IllegalArgumentException(
          "code has %d bytes, more than a page".formatted(code.length));
    }
    MemorySegment page = MemorySegment.ofAddress(start).reinterpret(CODE_PAGE_BYTES);
    MemorySegment.copy(code, 0, page, ValueLayout.JAVA_BYTE, 0, code.length);
    if (protect(start, CODE_PAGE_BYTES, READ_EXECUTE) != 0) {
      unmap(start, CODE_PAGE_BYTES);
      throw new IllegalStateException("the system allows no new code");
    }
    return page;
  }

  /// Memory of zeros in pages of 2 MiB, as far as it fills such and the system has them: with fewer
  /// addresses to look up, reads and writes of much memory are faster. It begins at a page, and is
  /// taken from the system as it is written.
  ///
  /// @param bytes a multiple of [#GRAIN_BYTES]
  /// @param arena with which it is given back
  /// @return empty when the system has no more
  /// @throws IllegalStateException when the arena is closed
  @SuppressWarnings("restricted") // as long as was asked for
  public Optional<MemorySegment> mapLarge(long bytes, Arena arena) {
    long mapped = map(bytes + LARGE_PAGE_BYTES);
    if (mapped == FAILED) {
      return Optional.empty();
    }
    long start = Math.ceilDiv(mapped, LARGE_PAGE_BYTES) * LARGE_PAGE_BYTES;
    if (start > mapped) {
      unmap(mapped, start - mapped);
    }
    unmap(start + bytes, mapped + LARGE_PAGE_BYTES - start);
    // A system without large pages refuses, and gives small ones.
    advise(start, bytes, HUGE_PAGE);
    try {
      return Optional.of(
          MemorySegment.ofAddress(start).reinterpret(bytes, arena, _ -> unmap(start, bytes)));
    } catch (RuntimeException | Error e) {
      unmap(start, bytes);
      throw e;
    }
  }

  /// A file of zeros without a name that takes memory for what is written to it.
  ///
  /// @param title under which the system lists it
  /// @return its number in this process, to be given to [#close]
  /// @throws IllegalStateException when the system gives none
  public int makeFile(String title, long bytes) {
    int file = createFile(title);
    if (file < 0) {
      throw new IllegalStateException("the system makes no files in memory");
    }
    if (resize(file, bytes) != 0) {
      close(file);
      throw new IllegalStateException(
          "the system has no file in memory of %d bytes".formatted(bytes));
    }
    return file;
  }

  /// Maps a file to read and to write.
  ///
  /// @param arena with which it is unmapped
  /// @throws IllegalStateException when the system refuses
  @SuppressWarnings("restricted") // as long as was asked for
  public MemorySegment map(int file, long bytes, Arena arena) {
    long start = map(bytes, SHARED_UNRESERVED, file);
    if (start == FAILED) {
      throw new IllegalStateException("the system does not map %d bytes".formatted(bytes));
    }
    return MemorySegment.ofAddress(start)
        .reinterpret(bytes, arena, mapped -> unmap(mapped.address(), bytes));
  }

  private long map(long bytes) {
    return map(bytes, PRIVATE_ANONYMOUS, -1);
  }

  private long map(long bytes, int how, int file) {
    try {
      return (long) map.invokeExact(0L, bytes, READ_WRITE, how, file, 0L);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private void unmap(long start, long bytes) {
    try {
      int unused = (int) unmap.invokeExact(start, bytes);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private void advise(long start, long bytes, int what) {
    try {
      int unused = (int) advise.invokeExact(start, bytes, what);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private int createFile(String title) {
    try (Arena arena = Arena.ofConfined()) {
      return (int) createFile.invokeExact(arena.allocateFrom(title), CLOSE_ON_EXEC);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private int resize(int file, long bytes) {
    try {
      return (int) resize.invokeExact(file, bytes);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  /// Closes a file; what is mapped of it stays.
  public void close(int file) {
    try {
      int unused = (int) closeFile.invokeExact(file);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }

  private int protect(long start, long bytes, int how) {
    try {
      return (int) protect.invokeExact(start, bytes, how);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }
}
