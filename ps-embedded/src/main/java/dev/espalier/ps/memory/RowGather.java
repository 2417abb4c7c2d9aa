package dev.espalier.ps.memory;

import static java.util.Objects.requireNonNull;

import dev.espalier.ps.machine.MachineCode;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * Rows at random places come from memory at the pace at which the processor asks for them, and it asks
 * no further ahead than it has instructions in flight. The JVM's code for the copy of a row takes so many
 * of them that few rows are asked for at once. The loop below takes few, and asks for rows ahead of their
 * turn besides.
 */
/// Copies of short rows that lie apart, each of which is asked for from memory some rows ahead of
/// its turn.
///
/// There is one on x86-64 under Linux, unless the system property `espalier.gather` is `off` or the
/// system allows no new code. Thread-safe.
public final class RowGather {
  /// Longer rows are copied as fast one by one.
  public static final int MAX_ROW_BYTES = 2048;

  /// So many rows are enough for a call, and so short is one.
  public static final int MAX_ROWS = 512;

  /// What is asked for ahead has to stay in the innermost cache until its turn.
  private static final int AHEAD_BYTES = 4096;

  private static final String CODE =
      "4e8d04c6 4c8d5cd6f8" // lea r8, [rsi+r8*8]; lea r11, [rsi+rdx*8-8]
          + "4d39d8 4d0f47c3 498b00 4983c008" // next: r8 = min(r8, r11); mov rax, [r8]; add r8, 8
          + "4c8d0c08" // lea r9, [rax+rcx]
          + "0f1808 4883c040 4c39c8 72f4" // again: prefetcht0 [rax]; add rax, 64; jb again
          + "488b06 4989c9 4983e940 722c" // mov rax, [rsi]; mov r9, rcx; sub r9, 64; jb rest
          + "0f1000 0f104810 0f105020 0f105830" // lines: movups xmm0..xmm3, [rax]..[rax+48]
          + "0f1107 0f114f10 0f115720 0f115f30" // movups [rdi]..[rdi+48], xmm0..xmm3
          + "4883c040 4883c740 4983e940 73d4" // add rax, 64; add rdi, 64; sub r9, 64; jae lines
          + "4983c140 7434 4983e910 7214" // rest: add r9, 64; je done; sub r9, 16; jb last
          + "0f1000 0f1107" // fours: movups xmm0, [rax]; movups [rdi], xmm0
          + "4883c010 4883c710 4983e910 73ec" // add rax, 16; add rdi, 16; sub r9, 16; jae fours
          + "4983c110 7414" // last: add r9, 16; je done
          + "448b10 448917" // floats: mov r10d, [rax]; mov [rdi], r10d
          + "4883c004 4883c704 4983e904 75ec" // add rax, 4; add rdi, 4; sub r9, 4; jne floats
          + "4883c608 4c39de 0f8663ffffff c3"; // done: add rsi, 8; cmp rsi, r11; jbe next; ret

  /// Constant, so that a call is compiled into its caller; null where there is no such copy.
  private static final @Nullable MethodHandle GATHER =
      MachineCode.link(
          "gather",
          CODE,
          true,
          ValueLayout.ADDRESS,
          ValueLayout.ADDRESS,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG,
          ValueLayout.JAVA_LONG);

  private static final Optional<RowGather> HERE =
      GATHER == null ? Optional.empty() : Optional.of(new RowGather());

  private RowGather() {}

  /// The copy of this machine, if there is one.
  public static Optional<RowGather> ofThisMachine() {
    return HERE;
  }

  /// Copies rows together; the garbage collector waits as long.
  ///
  /// @param places address of each row; not checked
  /// @param count of rows, 1 to [#MAX_ROWS]
  /// @param rowBytes a positive multiple of 4, at most [#MAX_ROW_BYTES]
  /// @param to on or off heap
  /// @param toOffset in bytes, of the first row
  /// @throws IndexOutOfBoundsException when the rows do not fit there, or there are fewer places
  /// @throws IllegalStateException when `to` is closed
  public void copy(long[] places, int count, long rowBytes, MemorySegment to, long toOffset) {
    // The loop ends by reaching these, and by nothing else.
    if (count < 1 || count > MAX_ROWS) {
      throw new IllegalArgumentException(
          "count must lie in [1, %d] but is %d".formatted(MAX_ROWS, count));
    }
    if (rowBytes < 4 || rowBytes > MAX_ROW_BYTES || rowBytes % 4 != 0) {
      throw new IllegalArgumentException(
          "rowBytes must be a multiple of 4 in [4, %d] but is %d"
              .formatted(MAX_ROW_BYTES, rowBytes));
    }
    try {
      requireNonNull(GATHER, "there is no instance without it")
          .invokeExact(
              to.asSlice(toOffset, count * rowBytes),
              MemorySegment.ofArray(places).asSlice(0, 8L * count),
              (long) count,
              rowBytes,
              Math.min(count - 1, Math.max(1, AHEAD_BYTES / rowBytes)));
    } catch (Throwable e) {
      throw MachineCode.thrownBy(e);
    }
  }
}
