package dev.espalier.ps.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class GpuProviderTest {
  private static final GpuProbe.Device FIRST = new GpuProbe.Device(0, "one", 1 << 30, 9, 0, 132);
  private static final GpuProbe.Device SECOND = new GpuProbe.Device(2, "two", 1 << 30, 8, 0, 108);
  private static final GpuProbe.Result FOUND = new GpuProbe.Found(List.of(FIRST, SECOND), 13_000);

  @Test
  void theFirstDeviceIsChosenUnlessAnotherIsWished() {
    assertThat(GpuProvider.choose("", FOUND).device()).contains(FIRST);
    assertThat(GpuProvider.choose("2", FOUND))
        .isEqualTo(new GpuProvider(Optional.of(SECOND), "espalier.gpu=2"));
  }

  @Test
  void aWishThatCannotBeMetIsExplained() {
    assertThat(GpuProvider.choose("1", FOUND))
        .isEqualTo(
            new GpuProvider(
                Optional.empty(), "espalier.gpu must be off or the number of a device but is 1"));
  }

  @Test
  void whatIsMissingIsTheReasonAndTheFailure() {
    GpuProvider choice = GpuProvider.choose("", new GpuProbe.Missing("there is no driver"));
    assertThat(choice.isPresent()).isFalse();
    assertThatThrownBy(choice::open)
        .isInstanceOfSatisfying(
            PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.DEVICE_FAILED))
        .hasMessage("there is no driver");
  }
}
