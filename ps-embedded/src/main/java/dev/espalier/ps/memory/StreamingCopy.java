package dev.espalier.ps.memory;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/*
 * An ordinary store to memory that is not in the cache first reads what it overwrites. A step out of
 * place, the first after a fork, so moves a third more bytes than one in place. Processors have
 * stores that go past the cache; the JVM uses them in copies of some megabytes alone, which must
 * then leave the cache twice. The copy below is eleven instructions of x86-64 that every such
 * processor has, put into a page of memory and called as native code:
 *
 *     again: movups xmm0..xmm3, [rsi], [rsi+16], [rsi+32], [rsi+48]
 *            movntps [rdi], [rdi+16], [rdi+32], [rdi+48], xmm0..xmm3
 *            add rsi, 64; add rdi, 64; sub rdx, 64; jnz again; ret
 */
/// Copies of small, cached memory to memory that is not read soon, past the caches.
///
/// There is one on x86-64 under Linux, unless the system property `espalier.streaming` is `off` or
/// the system allows no new code. Thread-safe.
public final class StreamingCopy {
  /// Sizes must be multiples of this.
  public static final int UNIT_BYTES = 64;

  private static final int ALIGNMENT_BYTES = 16;
  private static final byte[] CODE = {
    0x0f,
    0x10,
    0x06, // again: movups xmm0, [rsi]
    0x0f,
    0x10,
    0x4e,
    0x10, // movups xmm1, [rsi+16]
    0x0f,
    0x10,
    0x56,
    0x20, // movups xmm2, [rsi+32]
    0x0f,
    0x10,
    0x5e,
    0x30, // movups xmm3, [rsi+48]
    0x0f,
    0x2b,
    0x07, // movntps [rdi], xmm0
    0x0f,
    0x2b,
    0x4f,
    0x10, // movntps [rdi+16], xmm1
    0x0f,
    0x2b,
    0x57,
    0x20, // movntps [rdi+32], xmm2
    0x0f,
    0x2b,
    0x5f,
    0x30, // movntps [rdi+48], xmm3
    0x48,
    (byte) 0x83,
    (byte) 0xc6,
    0x40, // add rsi, 64
    0x48,
    (byte) 0x83,
    (byte) 0xc7,
    0x40, // add rdi, 64
    0x48,
    (byte) 0x83,
    (byte) 0xea,
    0x40, // sub rdx, 64
    0x75,
    (byte) 0xd4, // jnz again
    (byte) 0xc3 // ret
  };
  private static final Optional<StreamingCopy> HERE = make();

  private final MethodHandle copy;

  private StreamingCopy(MethodHandle copy) {
    this.copy = copy;
  }

  /// The copy of this machine, if there is one.
  public static Optional<StreamingCopy> ofThisMachine() {
    return HERE;
  }

  private static Optional<StreamingCopy> make() {
    Optional<SystemMemory> system = SystemMemory.ofThisSystem();
    if (!System.getProperty("os.arch", "").equals("amd64")
        || System.getProperty("espalier.streaming", "").equals("off")
        || system.isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(new StreamingCopy(link(system.get())));
    } catch (RuntimeException | LinkageError e) {
      System.getLogger(StreamingCopy.class.getName())
          .log(System.Logger.Level.INFO, "streaming=off reason={0}", e);
      return Optional.empty();
    }
  }

  @SuppressWarnings("restricted") // the code is the array above
  private static MethodHandle link(SystemMemory system) {
    return Linker.nativeLinker()
        .downcallHandle(
            system.code(CODE),
            FunctionDescriptor.ofVoid(
                ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG),
            Linker.Option.critical(false));
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
      copy.invokeExact(to, from, bytes);
    } catch (Throwable e) {
      throw new AssertionError("native code throws nothing", e);
    }
  }

  /// Orders copies before all that follows; locked instructions empty the buffers of such stores.
  public void fence() {
    VarHandle.fullFence();
  }
}
