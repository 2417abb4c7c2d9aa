package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class GpuProbeTest {

  @Test
  void withoutADriverTheProbeSaysSo() {
    assertThat(GpuProbe.probe("libcuda-that-is-not-here.so.1"))
        .isEqualTo(
            new GpuProbe.Missing(
                "no driver of a device is installed: libcuda-that-is-not-here.so.1 does not load"));
  }

  @Test
  void aLibraryThatIsNoDriverIsNamedAsSuch() {
    assertThat(GpuProbe.probe("libm.so.6"))
        .isEqualTo(new GpuProbe.Missing("the driver is too old: it has no cuInit"));
  }

  @Test
  void aDeviceIsDescribed() {
    TestDevice.open().close();
    assertThat(GpuProbe.probe())
        .isInstanceOfSatisfying(
            GpuProbe.Found.class,
            found -> {
              assertThat(found.driverVersion()).isGreaterThanOrEqualTo(GpuProbe.OLDEST_DRIVER);
              GpuProbe.Device device = found.devices().getFirst();
              assertThat(device.name()).isNotBlank();
              assertThat(device.memoryBytes()).isPositive();
              assertThat(device.major()).isGreaterThanOrEqualTo(8);
            });
  }

  @ParameterizedTest
  @CsvSource(
      textBlock =
          """
          ESPALIER_DOUBLE_INIT, 100, 'cuInit answers 100: the driver finds no device'
          ESPALIER_DOUBLE_INIT, 803, 'cuInit answers 803: the driver''s library and kernel module have different versions'
          ESPALIER_DOUBLE_INIT, 7, 'cuInit answers 7: an error of the driver'
          ESPALIER_DOUBLE_VERSION, 12040, 'the driver offers CUDA 12.4, but the kernels need 13.0 or newer'
          """)
  void aDriverThatRefusesIsExplained(String variable, int value, String reason) throws Throwable {
    TestDevice.open().close();
    assumeTrue(TestDevice.isDouble(), "a real driver cannot be made to refuse");
    setEnvironment(variable, Integer.toString(value));
    try {
      assertThat(GpuProbe.probe()).isEqualTo(new GpuProbe.Missing(reason));
    } finally {
      setEnvironment(variable, null);
    }
  }

  /// Changes the environment as native code sees it.
  @SuppressWarnings("restricted")
  private static void setEnvironment(String name, String value) throws Throwable {
    Linker linker = Linker.nativeLinker();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(name);
      int result =
          value == null
              ? (int)
                  linker
                      .downcallHandle(
                          linker.defaultLookup().find("unsetenv").orElseThrow(),
                          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS))
                      .invokeExact(text)
              : (int)
                  linker
                      .downcallHandle(
                          linker.defaultLookup().find("setenv").orElseThrow(),
                          FunctionDescriptor.of(
                              ValueLayout.JAVA_INT,
                              ValueLayout.ADDRESS,
                              ValueLayout.ADDRESS,
                              ValueLayout.JAVA_INT))
                      .invokeExact(text, arena.allocateFrom(value), 1);
      assertThat(result).isZero();
    }
  }
}
