package dev.espalier.ps.gpu;

import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import java.util.Optional;

/// The choice of a device, made once, with its reason.
///
/// The system property `espalier.gpu` overrides the choice: `off`, or the number of a device.
///
/// @param device what was chosen; empty when everything runs on the host
/// @param reason why, in one line
public record GpuProvider(Optional<GpuProbe.Device> device, String reason) {
  private static final String PROPERTY = "espalier.gpu";

  private static final class Holder {
    private static final GpuProvider CHOSEN = detect();
  }

  /// The choice for this process.
  public static GpuProvider chosen() {
    return Holder.CHOSEN;
  }

  private static GpuProvider detect() {
    String wish = System.getProperty(PROPERTY, "");
    GpuProvider choice = wish.equals("off") ? switchedOff() : choose(wish, GpuProbe.probe());
    System.getLogger(GpuProvider.class.getName())
        .log(
            System.Logger.Level.INFO,
            "gpu={0} reason={1}",
            choice.device.map(GpuProbe.Device::name).orElse("none"),
            choice.reason);
    return choice;
  }

  private static GpuProvider switchedOff() {
    return new GpuProvider(Optional.empty(), PROPERTY + "=off");
  }

  /// Whether somebody wished that there be none.
  public boolean isSwitchedOff() {
    return equals(switchedOff());
  }

  /// Decides from the wish and what was found.
  ///
  /// @param wish the number of a device, or empty
  static GpuProvider choose(String wish, GpuProbe.Result result) {
    return switch (result) {
      case GpuProbe.Missing missing -> new GpuProvider(Optional.empty(), missing.reason());
      case GpuProbe.Found found when wish.isEmpty() ->
          new GpuProvider(Optional.of(found.devices().getFirst()), "the first device found");
      case GpuProbe.Found found ->
          found.devices().stream()
              .filter(device -> Integer.toString(device.index()).equals(wish))
              .findFirst()
              .map(device -> new GpuProvider(Optional.of(device), PROPERTY + "=" + wish))
              .orElseGet(() ->
                  new GpuProvider(
                      Optional.empty(),
                      "%s must be off or the number of a device but is %s"
                          .formatted(PROPERTY, wish)));
    };
  }

  /// Whether there is a device to use.
  public boolean isPresent() {
    return device.isPresent();
  }

  /// Opens the device.
  ///
  /// @throws PsException `DEVICE_FAILED` with the reason when there is none or it cannot be used
  public Gpu open() {
    return Gpu.open(device.orElseThrow(() -> new PsException(PsFault.DEVICE_FAILED, reason)));
  }
}
