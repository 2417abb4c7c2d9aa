package dev.espalier.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.graalvm.polyglot.Value;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FormatTest {
  private static PageModules modules;
  private static Value format;

  @BeforeAll
  static void loadModule() {
    modules = new PageModules();
    format = modules.load("format.js");
  }

  @AfterAll
  static void closeEngine() {
    modules.close();
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "0.1, 0.1",
    "0.031623, 0.0316",
    "0.001, 0.001",
    "0.00031623, 3.16×10⁻⁴",
    "0.0001, 10⁻⁴",
    "-2.5, −2.5",
    "1234.5, '1,235'",
    "12345678, 1.23×10⁷",
    "NaN, –",
    "Infinity, ∞"
  })
  void numbersHaveThreeSignificantDigits(double value, String text) {
    assertThat(format.invokeMember("number", value).asString()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"2.5, 1, 1, 2.50", "2.5, 2, 2, 2.50 of start 2", "2.5, 1, 2, 2.50 of start 1"})
  void anEpochNamesItsStartWhereThereIsMoreThanOne(
      double passes, int start, int starts, String text) {
    assertThat(format.invokeMember("epoch", passes, start, starts).asString()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0.5, 0.500",
    "2.3, 2.300",
    "0.0421, 0.0421",
    "0.00115, 0.00115",
    "0.0029, 0.00290",
    "31.5, 31.50",
    "4480, '4,480'"
  })
  void measuredNumbersKeepTheirZeros(double value, String text) {
    assertThat(format.invokeMember("measured", value, 4).asString()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0 s",
    "0.704, 704 ms",
    "3.25, 3.3 s",
    "59.7, 1 min 00 s",
    "74, 1 min 14 s",
    "3599, 59 min 59 s",
    "0.9997, 1.0 s",
    "7500, 2 h 05 min",
    "180000, 2 d 2 h"
  })
  void durationsHaveAtMostTwoUnits(double seconds, String text) {
    assertThat(format.invokeMember("duration", seconds).asString()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({
    "41, 41 s",
    "599, 9 min 59 s",
    "600, 10 min",
    "3471, 58 min",
    "3541, 1 h 00 min",
    "5399, 1 h 30 min",
    "180000, 2 d 2 h"
  })
  void timeThatIsLeftHasNoSecondsFromTenMinutesOn(double seconds, String text) {
    assertThat(format.invokeMember("timeLeft", seconds).asString()).isEqualTo(text);
  }

  @ParameterizedTest
  @CsvSource({"0, 0%", "0.004, 0.4%", "0.0951, 9.5%", "0.36, 36%", "1, 100%"})
  void sharesArePerCent(double share, String text) {
    assertThat(format.invokeMember("percent", share).asString()).isEqualTo(text);
  }

  @Test
  void namesBecomeWords() {
    assertThat(format.invokeMember("words", "learningRate").asString()).isEqualTo("learning rate");
    assertThat(format.invokeMember("words", "trial-time").asString()).isEqualTo("trial time");
    assertThat(format.invokeMember("words", "DISCARDED").asString()).isEqualTo("discarded");
    assertThat(format.invokeMember("metric", "logLoss").asString())
        .isEqualTo("Validation log loss");
    assertThat(format.invokeMember("metric", "testAccuracy").asString()).isEqualTo("Test accuracy");
  }
}
