package dev.espalier.ps.gpu;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Looks for devices without ever failing: whatever is missing becomes a sentence.
///
/// Asks the driver's library directly, because a binding that fails to load once cannot be loaded
/// again in the same process.
public final class GpuProbe {
  /// The driver's library.
  static final String LIBRARY = "libcuda.so.1";

  /// The oldest driver that takes our kernels, as `1000 major + 10 minor` of its CUDA version.
  static final int OLDEST_DRIVER = 13_000;

  private static final int OLDEST_MAJOR = 8;
  private static final int NAME_BYTES = 128;
  private static final int ATTRIBUTE_MULTIPROCESSORS = 16;
  private static final int ATTRIBUTE_COMPUTE_MODE = 20;
  private static final int ATTRIBUTE_MAJOR = 75;
  private static final int ATTRIBUTE_MINOR = 76;
  private static final int MODE_PROHIBITED = 2;
  private static final int NO_DEVICE = 100;
  private static final Map<Integer, String> MEANINGS =
      Map.of(
          3,
          "the driver is not initialized",
          NO_DEVICE,
          "the driver finds no device",
          101,
          "there is no such device",
          802,
          "the system is not ready yet",
          803,
          "the driver's library and kernel module have different versions",
          804,
          "the driver is too old for its library on this device",
          999,
          "the driver gives no reason");

  /// What was found.
  public sealed interface Result {}

  /// There are devices that can be used.
  ///
  /// @param devices at least one
  /// @param driverVersion of CUDA that the driver offers, `1000 major + 10 minor`
  public record Found(List<Device> devices, int driverVersion) implements Result {
    /// Copies the list.
    public Found {
      devices = List.copyOf(devices);
    }
  }

  /// There is none.
  ///
  /// @param reason why, one sentence
  public record Missing(String reason) implements Result {}

  /// A device that can be used.
  ///
  /// @param index of the device for the driver
  /// @param name its maker's name
  /// @param memoryBytes its memory
  /// @param major first part of its compute capability
  /// @param minor second part
  /// @param multiprocessors their number
  public record Device(
      int index, String name, long memoryBytes, int major, int minor, int multiprocessors) {}

  private static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String reason) {
      super(reason);
    }
  }

  private final SymbolLookup library;

  private GpuProbe(SymbolLookup library) {
    this.library = library;
  }

  /// Looks for devices.
  public static Result probe() {
    return probe(LIBRARY);
  }

  /// Looks for devices of a driver.
  ///
  /// @param libraryName name or path of its library
  @SuppressWarnings("restricted") // loading the driver is what it is for
  static Result probe(String libraryName) {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return new Missing(
          "devices are used on Linux only, and this is " + System.getProperty("os.name"));
    }
    SymbolLookup library;
    try {
      // The library stays loaded: unloading a driver is not safe.
      library = SymbolLookup.libraryLookup(libraryName, Arena.global());
    } catch (IllegalArgumentException | IllegalCallerException e) {
      return new Missing(
          "no driver of a device is installed: %s does not load".formatted(libraryName));
    }
    try {
      return new GpuProbe(library).look();
    } catch (Refusal e) {
      return new Missing(String.valueOf(e.getMessage()));
    } catch (Throwable e) {
      // A foreign call may throw anything, and a probe must answer.
      return new Missing("asking the driver for its devices failed: " + e);
    }
  }

  private Result look() throws Throwable {
    try (Arena arena = Arena.ofConfined()) {
      check("cuInit", (int) function("cuInit", ValueLayout.JAVA_INT).invokeExact(0));
      MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
      check(
          "cuDriverGetVersion",
          (int) function("cuDriverGetVersion", ValueLayout.ADDRESS).invokeExact(number));
      int version = number.get(ValueLayout.JAVA_INT, 0);
      if (version < OLDEST_DRIVER) {
        throw new Refusal(
            "the driver offers CUDA %s, but the kernels need %s or newer"
                .formatted(versionText(version), versionText(OLDEST_DRIVER)));
      }
      check(
          "cuDeviceGetCount",
          (int) function("cuDeviceGetCount", ValueLayout.ADDRESS).invokeExact(number));
      return choose(arena, number.get(ValueLayout.JAVA_INT, 0), version);
    }
  }

  private Result choose(Arena arena, int count, int version) throws Throwable {
    List<Device> usable = new ArrayList<>();
    List<String> refused = new ArrayList<>();
    for (int index = 0; index < count; index++) {
      Device device = describe(arena, index);
      refusal(arena, device)
          .ifPresentOrElse(
              reason ->
                  refused.add("device %d (%s) %s".formatted(device.index(), device.name(), reason)),
              () -> usable.add(device));
    }
    if (!usable.isEmpty()) {
      return new Found(usable, version);
    }
    return new Missing(
        refused.isEmpty() ? "the driver finds no device" : String.join("; ", refused));
  }

  private Optional<String> refusal(Arena arena, Device device) throws Throwable {
    if (device.major() < OLDEST_MAJOR) {
      return Optional.of(
          "has compute capability %d.%d, but the kernels need %d.0 or newer"
              .formatted(device.major(), device.minor(), OLDEST_MAJOR));
    }
    return attribute(arena, ATTRIBUTE_COMPUTE_MODE, device.index()) == MODE_PROHIBITED
        ? Optional.of("is in a mode in which no process may use it")
        : Optional.empty();
  }

  private Device describe(Arena arena, int index) throws Throwable {
    MemorySegment name = arena.allocate(NAME_BYTES);
    check(
        "cuDeviceGetName",
        (int)
            function(
                    "cuDeviceGetName",
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT)
                .invokeExact(name, NAME_BYTES, index));
    MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG);
    check(
        "cuDeviceTotalMem",
        (int)
            function("cuDeviceTotalMem_v2", ValueLayout.ADDRESS, ValueLayout.JAVA_INT)
                .invokeExact(bytes, index));
    return new Device(
        index,
        name.getString(0),
        bytes.get(ValueLayout.JAVA_LONG, 0),
        attribute(arena, ATTRIBUTE_MAJOR, index),
        attribute(arena, ATTRIBUTE_MINOR, index),
        attribute(arena, ATTRIBUTE_MULTIPROCESSORS, index));
  }

  private int attribute(Arena arena, int attribute, int index) throws Throwable {
    MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
    check(
        "cuDeviceGetAttribute",
        (int)
            function(
                    "cuDeviceGetAttribute",
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT)
                .invokeExact(value, attribute, index));
    return value.get(ValueLayout.JAVA_INT, 0);
  }

  @SuppressWarnings("restricted") // signatures as the driver documents them
  private MethodHandle function(String name, MemoryLayout... parameters) throws Refusal {
    MemorySegment address =
        library
            .find(name)
            .orElseThrow(() -> new Refusal("the driver is too old: it has no " + name));
    return Linker.nativeLinker()
        .downcallHandle(address, FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
  }

  private static void check(String call, int result) throws Refusal {
    if (result != 0) {
      throw new Refusal(
          "%s answers %d: %s"
              .formatted(call, result, MEANINGS.getOrDefault(result, "an error of the driver")));
    }
  }

  private static String versionText(int version) {
    return "%d.%d".formatted(version / 1000, version % 1000 / 10);
  }
}
