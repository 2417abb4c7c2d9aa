package dev.espalier.runtime.doctor;

import com.sun.management.OperatingSystemMXBean;
import dev.espalier.nn.host.GemmRate;
import dev.espalier.nn.torch.TorchLibrary;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.gpu.Gpu;
import dev.espalier.ps.gpu.GpuProbe;
import dev.espalier.ps.gpu.GpuProvider;
import dev.espalier.ps.kernel.RowKernelsProvider;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// What a worker process finds on this machine, measured where it can be measured quickly.
///
/// Made in a process of its own, started as workers are: what it finds is what they will find.
public final class WorkerExamination {
  private static final List<String> BLAS = List.of("libopenblas.so.0", "libopenblas.so");
  private static final double GIB = 1 << 30;

  private WorkerExamination() {}

  /// {@return what was found, by section, and last in `uses` what a worker does with it; takes
  /// about two seconds}
  public static Map<String, Object> examine() {
    var report = new LinkedHashMap<String, Object>();
    RowKernelsProvider kernels = RowKernelsProvider.chosen();
    Map<String, Object> gpuSection = gpu(GpuProbe.probe());
    TorchLibrary.Result torch = TorchLibrary.probe();
    report.put("processor", processor(kernels));
    report.put("memory", memory());
    report.put("java", java());
    report.put("gpu", gpuSection);
    report.put("libraries", libraries(torch));
    report.put("uses", uses(kernels, usable(GpuProvider.chosen(), gpuSection), torch));
    return report;
  }

  private static Map<String, Object> processor(RowKernelsProvider kernels) {
    var section = new LinkedHashMap<String, Object>();
    section.put("model", modelName());
    section.put("cores", Runtime.getRuntime().availableProcessors());
    section.put("kernels", kernels.kernels().name());
    section.put("vectorBits", vectorBits(kernels.kernels().name()));
    section.put("gemmGigaflops", rounded(GemmRate.measure()));
    return section;
  }

  /// The kernels are named after the width of their vectors; scalar ones have that of one float.
  static int vectorBits(String kernels) {
    String digits = kernels.replaceAll("\\D", "");
    return digits.isEmpty() ? Float.SIZE : Integer.parseInt(digits);
  }

  private static Map<String, Object> memory() {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    var section = new LinkedHashMap<String, Object>();
    section.put("totalGibibytes", rounded(system.getTotalMemorySize() / GIB));
    section.put("availableGibibytes", rounded(availableBytes(system) / GIB));
    section.put("copyGigabytesPerSecond", rounded(MemoryRate.measure()));
    return section;
  }

  /// What could be had without swapping; the system's free memory leaves its caches out.
  private static double availableBytes(OperatingSystemMXBean system) {
    return firstLine(Path.of("/proc/meminfo"), "MemAvailable")
        .map(text -> Double.parseDouble(text.replaceAll("\\D", "")) * 1024)
        .orElse((double) system.getFreeMemorySize());
  }

  private static Map<String, Object> java() {
    var section = new LinkedHashMap<String, Object>();
    section.put("version", Runtime.version().toString());
    section.put("vendor", System.getProperty("java.vm.vendor", ""));
    section.put("home", System.getProperty("java.home", ""));
    return section;
  }

  private static Map<String, Object> gpu(GpuProbe.Result result) {
    var section = new LinkedHashMap<String, Object>();
    switch (result) {
      case GpuProbe.Found found -> {
        section.put(
            "driverCuda", found.driverVersion() / 1000 + "." + found.driverVersion() % 1000 / 10);
        section.put("devices", found.devices().stream().map(WorkerExamination::device).toList());
      }
      case GpuProbe.Missing(String reason) -> {
        section.put("devices", List.of());
        section.put("reason", reason);
      }
    }
    return section;
  }

  /// Opens the device that workers would open, as they would, and gives it back: what can be found
  /// may still be busy, or refuse the kernels.
  private static GpuProvider usable(GpuProvider choice, Map<String, Object> section) {
    GpuProvider usable = opened(choice, section);
    if (!usable.isPresent()) {
      section.put("reason", usable.reason());
    }
    return usable;
  }

  private static GpuProvider opened(GpuProvider choice, Map<String, Object> section) {
    if (!choice.isPresent()) {
      return choice;
    }
    try (Gpu gpu = choice.open()) {
      section.put("chosen", gpu.device().name());
      section.put("freeGibibytes", rounded(gpu.freeBytes() / GIB));
      return choice;
    } catch (PsException e) {
      return new GpuProvider(Optional.empty(), String.valueOf(e.getMessage()));
    }
  }

  private static Map<String, Object> device(GpuProbe.Device device) {
    var entry = new LinkedHashMap<String, Object>();
    entry.put("name", device.name());
    entry.put("memoryGibibytes", rounded(device.memoryBytes() / GIB));
    entry.put("computeCapability", device.major() + "." + device.minor());
    entry.put("multiprocessors", device.multiprocessors());
    return entry;
  }

  private static Map<String, Object> libraries(TorchLibrary.Result torch) {
    var section = new LinkedHashMap<String, Object>();
    section.put(
        "libtorch",
        switch (torch) {
          case TorchLibrary.Found found ->
              "%s through %s, GPUs that it sees: %d"
                  .formatted(found.version(), found.file(), found.devices());
          case TorchLibrary.Missing(String reason) -> "none: " + reason;
        });
    section.put(
        "openblas", BLAS.stream().filter(WorkerExamination::loads).findFirst().orElse("none"));
    return section;
  }

  @SuppressWarnings("restricted") // to see whether it is there
  private static boolean loads(String library) {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup.libraryLookup(library, arena);
      return true;
    } catch (IllegalArgumentException | IllegalCallerException _) {
      return false;
    }
  }

  /// What a worker does with it, one sentence each with the reason.
  ///
  /// @param gpu the device that workers open; empty when they cannot, or shall not
  static List<String> uses(RowKernelsProvider kernels, GpuProvider gpu, TorchLibrary.Result torch) {
    return List.of(
        "updates: %s kernels, because %s".formatted(kernels.kernels().name(), kernels.reason()),
        "networks: engine java, %s matrix products, unless the job's engine says torch or cuda"
            .formatted(GemmRate.isVectorised() ? "vector" : "plain"),
        switch (torch) {
          case TorchLibrary.Found _ -> "engine torch: can be asked for";
          case TorchLibrary.Missing(String reason) -> "engine torch: refused, " + reason;
        },
        switch (torch) {
          case TorchLibrary.Found found ->
              refusalOfCuda(gpu, found.devices())
                  .map(reason -> "engine cuda: refused, " + reason)
                  .orElse("engine cuda: can be asked for");
          case TorchLibrary.Missing _ -> "engine cuda: refused, there is no libtorch";
        },
        gpu.device()
            .map(device ->
                "device: %s can hold parameters, chosen as %s"
                    .formatted(device.name(), gpu.reason()))
            .orElseGet(() -> "device: none holds parameters, " + gpu.reason()));
  }

  /// Why the engine of a GPU is refused, if it is.
  static Optional<String> refusalOfCuda(GpuProvider gpu, int devicesOfTorch) {
    int index = gpu.device().map(GpuProbe.Device::index).orElse(0);
    if (gpu.isSwitchedOff()) {
      return Optional.of("GPUs are switched off by " + gpu.reason());
    } else if (devicesOfTorch == 0) {
      return Optional.of("libtorch finds no GPU");
    } else if (index >= devicesOfTorch) {
      return Optional.of("it needs GPU %d, but libtorch finds %d".formatted(index, devicesOfTorch));
    }
    return Optional.empty();
  }

  private static String modelName() {
    return firstLine(Path.of("/proc/cpuinfo"), "model name")
        .orElse(System.getProperty("os.arch", "unknown"));
  }

  private static Optional<String> firstLine(Path file, String key) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(key))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst();
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  private static double rounded(double value) {
    return Double.parseDouble(String.format(Locale.ROOT, "%.1f", value));
  }
}
