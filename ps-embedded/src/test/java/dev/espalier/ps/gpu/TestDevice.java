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
import org.jspecify.annotations.Nullable;

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

  /// How the streams of the double run: as late as they may, as early as they may, or as a seed
  /// says.
  public enum Schedule {
    /// As late as their events allow.
    LATE,
    /// As early as possible, but for the first stream.
    EARLY,
    /// Some of them, by some steps, at each call.
    BY_CHANCE
  }

  /// Orders the streams of the double; nothing on a real device.
  ///
  /// @param seed of what is left to chance
  public static void schedule(Schedule schedule, int seed) {
    call(
        "espalier_double_mode",
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
        schedule.ordinal(),
        seed);
  }

  /// From now on, times between events of the double are those of a device of such a pace, whose
  /// host takes none: what they say is what waits for what.
  ///
  /// @param bytesPerSecond of each of the two engines that copy in and out; with 0, times are those
  ///   of the processor
  /// @param secondsOfLaunch of each kernel
  public static void pace(double bytesPerSecond, double secondsOfLaunch) {
    assumeTrue(isDouble(), "a real device has its own pace");
    call(
        "espalier_double_pace",
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_DOUBLE, ValueLayout.JAVA_DOUBLE),
        bytesPerSecond,
        secondsOfLaunch);
  }

  /// Lets the n-th call from now of a name of the double's driver fail, and only that one.
  ///
  /// @param call its name, without a version, such as `cuMemAlloc`
  /// @param n 1 for the next
  /// @param error 2 for memory that is not there
  public static void fail(String call, long n, int error) {
    assumeTrue(isDouble(), "a real device cannot be made to fail");
    letFail(call, n, error);
  }

  /// Lets each call of a name of the double's driver fail.
  public static void failAll(String call, int error) {
    fail(call, -1, error);
  }

  /// Ends all failures that were asked for.
  public static void endFailures() {
    letFail("", 0, 0);
  }

  private static void letFail(String call, long n, int error) {
    try (Arena arena = Arena.ofConfined()) {
      call(
          "espalier_double_fail",
          FunctionDescriptor.ofVoid(
              ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT),
          arena.allocateFrom(call),
          n,
          error);
    }
  }

  /// Lets every call of the double fail, as on a device whose kernel failed.
  public static void failFromNowOn(int error) {
    assumeTrue(isDouble(), "a real device cannot be made to fail");
    call("espalier_double_stick", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), error);
  }

  /// Blocks of memory, streams, events, modules and contexts of the double that were not given
  /// back; 0 on a real device.
  public static long living() {
    return call("espalier_double_living", FunctionDescriptor.of(ValueLayout.JAVA_LONG))
            instanceof Long living
        ? living
        : 0;
  }

  private static @Nullable Object call(
      String name, FunctionDescriptor descriptor, Object... arguments) {
    Optional<MemorySegment> address = doubleFunction(name);
    if (address.isEmpty()) {
      return null;
    }
    try {
      return Linker.nativeLinker()
          .downcallHandle(address.get(), descriptor)
          .invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
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
