package dev.espalier.tuner.boot;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.HostPort;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PreflightTest {
  /// What listens everywhere is reached by loopback, in whatever words it was told to.
  @ParameterizedTest
  @CsvSource({
    "0.0.0.0,127.0.0.1:7071",
    "::,127.0.0.1:7071",
    "[::],127.0.0.1:7071",
    "0:0:0:0:0:0:0:0,127.0.0.1:7071",
    "127.0.0.1,127.0.0.1:7071",
    "::1,[::1]:7071",
    "[::1],[::1]:7071",
    "fd00::7,[fd00::7]:7071",
    "no such name,no such name:7071"
  })
  void anAddressIsReachedFromHere(String listens, String reached) {
    assertThat(new HostPort(Preflight.fromHere(listens), 7071)).hasToString(reached);
  }
}
