package dev.espalier.runtime.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.nn.torch.TorchLibrary;
import dev.espalier.ps.gpu.GpuProbe;
import dev.espalier.ps.gpu.GpuProvider;
import dev.espalier.ps.kernel.RowKernelsProvider;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class WorkerExaminationTest {
  private static Object value(Map<String, Object> report, String section, String key) {
    return ((Map<?, ?>) report.get(section)).get(key);
  }

  @Test
  void everySectionIsThereAndMeasured() {
    Map<String, Object> report = WorkerExamination.examine();
    assertThat(report).containsOnlyKeys("processor", "memory", "java", "gpu", "libraries", "uses");
    assertThat((String) value(report, "processor", "model")).isNotBlank();
    assertThat((int) value(report, "processor", "cores"))
        .isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat((double) value(report, "processor", "gemmGigaflops")).isBetween(0.1, 10_000.0);
    double total = (double) value(report, "memory", "totalGibibytes");
    assertThat((double) value(report, "memory", "availableGibibytes")).isBetween(0.0, total);
    assertThat((double) value(report, "memory", "copyGigabytesPerSecond")).isBetween(0.1, 10_000.0);
    assertThat(value(report, "java", "version")).isEqualTo(Runtime.version().toString());
    assertThat((List<?>) report.get("uses")).hasSize(5);
  }

  @Test
  void theWidthOfVectorsIsInTheNameOfTheKernels() {
    assertThat(WorkerExamination.vectorBits("vector-512")).isEqualTo(512);
    assertThat(WorkerExamination.vectorBits("scalar")).isEqualTo(32);
  }

  @Test
  void whatIsMissingIsAReason() {
    List<String> uses =
        WorkerExamination.uses(
            RowKernelsProvider.chosen(),
            new GpuProvider(Optional.empty(), "no driver of a device is installed"),
            new TorchLibrary.Missing("there is no library"));
    assertThat(uses)
        .contains(
            "engine torch: refused, there is no library",
            "engine cuda: refused, there is no libtorch",
            "device: none holds parameters, no driver of a device is installed");
    assertThat(uses.getFirst()).startsWith("updates: ").contains("because");
  }

  @Test
  void theEngineOfAGpuIsRefusedWhereWorkersWouldRefuseIt() {
    var second = new GpuProbe.Device(1, "NVIDIA H200", 150_000_000_000L, 9, 0, 132);
    var chosen = new GpuProvider(Optional.of(second), "espalier.gpu=1");
    assertThat(WorkerExamination.refusalOfCuda(chosen, 2)).isEmpty();
    assertThat(WorkerExamination.refusalOfCuda(chosen, 1))
        .contains("it needs GPU 1, but libtorch finds 1");
    assertThat(WorkerExamination.refusalOfCuda(chosen, 0)).contains("libtorch finds no GPU");
    var off = new GpuProvider(Optional.empty(), "espalier.gpu=off");
    assertThat(WorkerExamination.refusalOfCuda(off, 1))
        .contains("GPUs are switched off by espalier.gpu=off");
    // A driver that is too old for our kernels may do for libtorch.
    var old = new GpuProvider(Optional.empty(), "the driver is too old");
    assertThat(WorkerExamination.refusalOfCuda(old, 1)).isEmpty();
  }

  @Test
  void theChosenDeviceIsUsed() {
    var device = new GpuProbe.Device(1, "NVIDIA H200", 150_000_000_000L, 9, 0, 132);
    assertThat(
            WorkerExamination.uses(
                RowKernelsProvider.chosen(),
                new GpuProvider(Optional.of(device), "espalier.gpu=1"),
                new TorchLibrary.Missing("there is no library")))
        .contains("device: NVIDIA H200 can hold parameters, chosen as espalier.gpu=1");
  }
}
