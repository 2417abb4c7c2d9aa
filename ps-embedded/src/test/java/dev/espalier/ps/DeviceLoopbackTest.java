package dev.espalier.ps;

import dev.espalier.ps.gpu.TestDevice;
import org.junit.jupiter.api.BeforeAll;

/// The contract when the pages of all shards are on a device that holds a part of them.
final class DeviceLoopbackTest extends LoopbackTest {
  private static final long DEVICE_BYTES = 64 * 4096;

  @BeforeAll
  static void openDevice() {
    TestDevice.open().close();
  }

  @Override
  protected ParameterServerConfig configure(ParameterServerConfig config) {
    return config.withDevice(DEVICE_BYTES);
  }

  /// Pages on the device are beside the host's budget.
  @Override
  protected int rowsThatFitOnceBesideTenPages() {
    return 40 * 1024;
  }
}
