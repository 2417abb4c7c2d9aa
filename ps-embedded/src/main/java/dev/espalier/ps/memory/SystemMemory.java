package dev.espalier.ps.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/// Memory for code, as the operating system gives it; Linux only. Thread-safe.
final class SystemMemory {
  private static final long CODE_PAGE_BYTES = 4096;
  private static final int READ_WRITE = 3;
  private static final int READ_EXECUTE = 5;
  private static final int PRIVATE_ANONYMOUS = 0x22;
  private static final long FAILED = -1;
  private static final Optional<SystemMemory> HERE = make();

  private final MethodHandle map;
  private final MethodHandle protect;

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
  static Optional<SystemMemory> ofThisSystem() {
    return HERE;
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
    if (protect(start, CODE_PAGE_BYTES, READ_EXECUTE) != 0) {
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

  private int protect(long start, long bytes, int how) {
    try {
      return (int) protect.invokeExact(start, bytes, how);
    } catch (Throwable e) {
      throw new AssertionError("system calls throw nothing", e);
    }
  }
}
