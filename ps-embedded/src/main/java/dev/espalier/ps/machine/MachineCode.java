package dev.espalier.ps.machine;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.invoke.MethodHandle;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Loops that the JVM has no instructions for: some of x86-64, put into a page of memory and called
/// as native code.
public final class MachineCode {
  private MachineCode() {}

  /// Makes a call of code.
  ///
  /// @param name of what it does; the system property `espalier.NAME` switches it off
  /// @param code in hexadecimal digits, which spaces may part; returns soon and nothing
  /// @param takesArrays whether addresses are segments, which may lie in arrays
  /// @param arguments of the call
  /// @return null when it is switched off, the machine is another one, or the system allows no new
  ///   code
  public static @Nullable MethodHandle link(
      String name, String code, boolean takesArrays, MemoryLayout... arguments) {
    return link(name, HexFormat.of().parseHex(code.replace(" ", "")), takesArrays, arguments);
  }

  /// Makes a call of code.
  ///
  /// @param code the bytes of it, at most a page; see the other form
  public static @Nullable MethodHandle link(
      String name, byte[] code, boolean takesArrays, MemoryLayout... arguments) {
    Optional<SystemMemory> system = SystemMemory.ofThisSystem();
    if (!System.getProperty("os.arch", "").equals("amd64")
        || System.getProperty("espalier." + name, "").equals("off")
        || system.isEmpty()) {
      return null;
    }
    try {
      return link(system.get(), code, takesArrays, arguments);
    } catch (RuntimeException | LinkageError e) {
      System.getLogger(MachineCode.class.getName())
          .log(System.Logger.Level.INFO, "{0}=off reason={1}", name, e);
      return null;
    }
  }

  /// Throws what the JVM threw where code was called, such as of memory that is closed.
  ///
  /// @return never
  public static AssertionError thrownBy(Throwable call) {
    if (call instanceof RuntimeException exception) {
      throw exception;
    }
    if (call instanceof Error error) {
      throw error;
    }
    return new AssertionError("native code throws nothing", call);
  }

  @SuppressWarnings("restricted") // the code is what callers made
  private static MethodHandle link(
      SystemMemory system, byte[] code, boolean takesArrays, MemoryLayout... arguments) {
    return Linker.nativeLinker()
        .downcallHandle(
            system.code(code),
            FunctionDescriptor.ofVoid(arguments),
            Linker.Option.critical(takesArrays));
  }
}
