package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// A demo must not run the jobs of somebody's database.
final class DemoServerTest {
  @ParameterizedTest
  @CsvSource({
    "ESPALIER_DATABASE_URL, true",
    "ESPALIER_DATABASE_PASSWORD, true",
    "espalier_database_url, true",
    "ESPALIER_DATAROOTS_0, true",
    "ESPALIER_TOKEN, true",
    "ESPALIER_JDK, false",
    "ESPALIER_DEBUG, false",
    "PATH, false"
  })
  void theDemosServerHasNoSettingsOfAnother(String variable, boolean isOfAnother) {
    assertThat(DemoServer.isSetting(variable)).isEqualTo(isOfAnother);
  }
}
