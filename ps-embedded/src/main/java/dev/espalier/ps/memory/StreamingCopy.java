package dev.espalier.ps.memory;

import static java.util.Objects.requireNonNull;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * An ordinary store to memory that is not in the cache first reads what it overwrites. A step out of
 * place, the first after a fork, so moves a third more bytes than one in place. Processors have
 * stores that go past the cache; the JVM uses them in copies of some megabytes alone, which must
 * then leave the cache twice. The copy below is thirteen instructions of x86-64 (`MachineCode`).
 */
/// Copies of small, cached memory to memory that is not read soon, past the caches.
///
/// There is one on x86-64 under Linux, unless the system property `espalier.streaming` is `off` or
/// the system allows no new code. Thread-safe.
public final class StreamingCopy {
  /// Sizes must be multiples of this.
  public static final int UNIT_BYTES = 64;

  private static final int ALIGNMENT_BYTES = 16;
  private static final String CODE =
      "0f1006 0f104e10 0f105620 0f105e30" // again: movups xmm0..xmm3, [rsi]..[rsi+48]
          + "0f2b07 0f2b4f10 0f2b5720 0f2b5f30" // movntps [rdi]..[rdi+48], xmm0..xmm3
          + "4883c640 4883c740 4883ea40" // add rsi, 64; add rdi, 64; sub rdx, 64
          + "75d4 c3"; // jnz again; ret

  /// Constant, so that a call is compiled into its caller; null where there is no such copy.
  private static final @Nullable MethodHandle COPY = linked(ValueLayout.JAVA_LONG, false);

  /// The same for memory that may lie in an array; null as well where there is no such copy.
  private static final @Nullable MethodHandle COPY_ANY =
      COPY == null ? null : linked(ValueLayout.ADDRESS, true);

  private static final Optional<StreamingCopy> HERE =
      COPY == null || COPY_ANY == null ? Optional.empty() : Optional.of(new StreamingCopy());

  private StreamingCopy() {}

  /// The copy of this machine, if there is one.
  public static Optional<StreamingCopy> ofThisMachine() {
    return HERE;
  }

  private static @Nullable MethodHandle linked(MemoryLayout place, boolean isInHeap) {
    return MachineCode.link("streaming", CODE, isInHeap, place, place, ValueLayout.JAVA_LONG);
  }

  /// Whether [#copy] can write so many bytes to an address.
  public static boolean fits(long to, long bytes) {
    return to % ALIGNMENT_BYTES == 0 && bytes % UNIT_BYTES == 0 && bytes > 0;
  }

  /// Copies bytes; other threads see them after [#fence]. Addresses are not checked.
  ///
  /// @param to for which [#fits] holds
  /// @param from address of other memory
  /// @param bytes a positive multiple of 64
  public void copy(long to, long from, long bytes) {
    try {
      requireNonNull(COPY, "there is no instance without it").invokeExact(to, from, bytes);
    } catch (Throwable e) {
      throw MachineCode.thrownBy(e);
    }
  }

  /// Copies bytes from anywhere, also out of an array; other threads see them when this returns.
  /// What does not fill whole lines of the cache at either end is copied as usual.
  ///
  /// @param to off heap
  /// @param bytes any number; the garbage collector waits as long as they are copied
  public void copy(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    long head = Math.min(bytes, Math.floorMod(-(to.address() + toOffset), UNIT_BYTES));
    long lines = (bytes - head) / UNIT_BYTES * UNIT_BYTES;
    MemorySegment.copy(from, fromOffset, to, toOffset, head);
    if (lines > 0) {
      try {
        requireNonNull(COPY_ANY, "there is no instance without it")
            .invokeExact(
                to.asSlice(toOffset + head, lines), from.asSlice(fromOffset + head, lines), lines);
      } catch (Throwable e) {
        throw MachineCode.thrownBy(e);
      }
    }
    long done = head + lines;
    MemorySegment.copy(from, fromOffset + done, to, toOffset + done, bytes - done);
    fence();
  }

  /// Orders copies before all that follows; locked instructions empty the buffers of such stores.
  public void fence() {
    VarHandle.fullFence();
  }
}
