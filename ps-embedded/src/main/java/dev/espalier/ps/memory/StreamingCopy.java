package dev.espalier.ps.memory;

import static java.util.Objects.requireNonNull;

import dev.espalier.ps.machine.MachineCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * An ordinary store to memory that is not in the cache first reads what it overwrites. Processors have
 * stores that go past the cache; the JVM uses them in copies of some megabytes alone, which must
 * then leave the cache twice. The copy below is thirteen instructions of x86-64 (`MachineCode`).
 */
/// Copies of small, cached memory to memory that is not read soon, past the caches.
///
/// There is one on x86-64 under Linux, unless the system property `espalier.streaming` is `off` or
/// the system allows no new code. Thread-safe.
public final class StreamingCopy {
  private static final int LINE_BYTES = 64;
  private static final String CODE =
      "0f1006 0f104e10 0f105620 0f105e30" // again: movups xmm0..xmm3, [rsi]..[rsi+48]
          + "0f2b07 0f2b4f10 0f2b5720 0f2b5f30" // movntps [rdi]..[rdi+48], xmm0..xmm3
          + "4883c640 4883c740 4883ea40" // add rsi, 64; add rdi, 64; sub rdx, 64
          + "75d4 c3"; // jnz again; ret

  /// Constant, so that a call is compiled into its caller; null where there is no such copy.
  private static final @Nullable MethodHandle COPY =
      MachineCode.link(
          "streaming", CODE, true, ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);

  private static final Optional<StreamingCopy> HERE =
      COPY == null ? Optional.empty() : Optional.of(new StreamingCopy());

  private StreamingCopy() {}

  /// The copy of this machine, if there is one.
  public static Optional<StreamingCopy> ofThisMachine() {
    return HERE;
  }

  /// Copies bytes from anywhere, also out of an array; other threads see them when this returns.
  /// What does not fill whole lines of the cache at either end is copied as usual.
  ///
  /// @param to off heap
  /// @param bytes any number; the garbage collector waits as long as they are copied
  public void copy(
      MemorySegment from, long fromOffset, MemorySegment to, long toOffset, long bytes) {
    long head = Math.min(bytes, Math.floorMod(-(to.address() + toOffset), LINE_BYTES));
    long lines = (bytes - head) / LINE_BYTES * LINE_BYTES;
    MemorySegment.copy(from, fromOffset, to, toOffset, head);
    if (lines > 0) {
      try {
        requireNonNull(COPY, "there is no instance without it")
            .invokeExact(
                to.asSlice(toOffset + head, lines), from.asSlice(fromOffset + head, lines), lines);
      } catch (Throwable e) {
        throw MachineCode.thrownBy(e);
      }
    }
    long done = head + lines;
    MemorySegment.copy(from, fromOffset + done, to, toOffset + done, bytes - done);
    // Locked instructions empty the buffers of such stores.
    VarHandle.fullFence();
  }
}
