package dev.espalier.bench.frame;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/// The machine that was measured.
///
/// @param loadAverage of the minute before, which says whether other work ran; negative if unknown
public record Machine(
    String processor,
    int cores,
    double memoryGibibytes,
    String os,
    String java,
    double loadAverage) {
  /// {@return the machine this runs on}
  public static Machine here() {
    var system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return new Machine(
        processorName(),
        Runtime.getRuntime().availableProcessors(),
        system.getTotalMemorySize() / (double) (1 << 30),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vm.vendor") + " " + Runtime.version(),
        system.getSystemLoadAverage());
  }

  private static String processorName() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  /// {@return one line for people}
  String line() {
    return String.format(
        Locale.ROOT,
        "%s, %d cores, %.1f GiB, %s, %s, load average at the start %.1f",
        processor,
        cores,
        memoryGibibytes,
        os,
        java,
        loadAverage);
  }
}
