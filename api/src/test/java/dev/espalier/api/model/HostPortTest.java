package dev.espalier.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {
  @ParameterizedTest
  @CsvSource({
    "tuner:7071,tuner,7071,tuner:7071",
    "10.0.0.7:1,10.0.0.7,1,10.0.0.7:1",
    "[fd00::7]:7071,fd00::7,7071,[fd00::7]:7071",
    "tuner,tuner,443,tuner:443",
    "fd00::7,fd00::7,443,[fd00::7]:443",
    "[fd00::7],fd00::7,443,[fd00::7]:443"
  })
  void isReadAndWritten(String text, String host, int port, String written) {
    HostPort read = HostPort.parse(text, 443);

    assertThat(read).isEqualTo(new HostPort(host, port)).hasToString(written);
    assertThat(HostPort.parse(written, -1)).isEqualTo(read);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ":7071", "tuner", "::1", "tuner:", "tuner:x", "tuner:65536", "tuner:-1"})
  void whatIsNoneIsRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HostPort.parse(text, -1))
        .withMessageContaining("must be HOST:PORT");
  }

  @Test
  void whereAPortMustBeTheRefusalNamesWhatWasGiven() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> HostPort.parse("::1", -1))
        .withMessage("an address must be HOST:PORT but is ::1");
  }
}
