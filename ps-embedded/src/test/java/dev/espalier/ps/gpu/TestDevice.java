package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The device that tests run on: a real one where there is one, else the double of the driver
/// (`src/test/cuda/double.cpp`, which says what it does not show), built with g++.
///
/// Where there is neither, tests are skipped and say so.
@SuppressWarnings("restricted")
public final class TestDevice {
  private static final Path SOURCES = Path.of("src");
  private static final Optional<String> WHY_NOT = prepare();

  private TestDevice() {}

  /// Opens the device.
  public static Gpu open() {
    assumeTrue(WHY_NOT.isEmpty(), WHY_NOT::orElseThrow);
    return Gpu.open();
  }

  /// Whether it is the double.
  public static boolean isDouble() {
    return doubleFunction("espalier_double_mode").isPresent();
  }

  /// Lets the streams of the double run as late (false) or as early (true) as they may; nothing on
  /// a real device.
  public static void runEarly(boolean early) {
    doubleFunction("espalier_double_mode")
        .ifPresent(address -> {
          try {
            Linker.nativeLinker()
                .downcallHandle(address, FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT))
                .invokeExact(early ? 1 : 0);
          } catch (Throwable e) {
            throw new AssertionError(e);
          }
        });
  }

  private static Optional<MemorySegment> doubleFunction(String name) {
    if (WHY_NOT.isPresent()) {
      return Optional.empty();
    }
    return SymbolLookup.libraryLookup(GpuProbe.LIBRARY, Arena.global()).find(name);
  }

  private static Optional<String> prepare() {
    if (GpuProbe.probe() instanceof GpuProbe.Found) {
      return Optional.empty();
    }
    if (!Files.exists(SOURCES.resolve("test/cuda/double.cpp"))) {
      return Optional.of("there is no device, and the sources of its double are not here");
    }
    try {
      Path directory = Files.createTempDirectory("espalier-double");
      Path library = directory.resolve(GpuProbe.LIBRARY);
      if (!compile(library)) {
        return Optional.of("there is no device, and no g++ to build its double");
      }
      // Loaded once, it is found by its name, by the probe and by the binding.
      System.load(library.toString());
      Files.delete(library);
      Files.delete(directory);
      assertThat(GpuProbe.probe()).isInstanceOf(GpuProbe.Found.class);
      return Optional.empty();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static boolean compile(Path library) throws IOException {
    if (Stream.of(System.getenv("PATH").split(":"))
        .noneMatch(directory -> Files.isExecutable(Path.of(directory, "g++")))) {
      return false;
    }
    Process compiler =
        new ProcessBuilder(
                SOURCES.resolve("test/cuda/build-double.sh").toString(), library.toString())
            .redirectErrorStream(true)
            .start();
    String output = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      assertThat(compiler.waitFor(120, TimeUnit.SECONDS)).as("g++ ends").isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    assertThat(compiler.exitValue()).as(output).isZero();
    return true;
  }
}
