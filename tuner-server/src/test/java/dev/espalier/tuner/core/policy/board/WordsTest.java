package dev.espalier.tuner.core.policy.board;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WordsTest {
  @Test
  void numbersKeepFourDigitsAndNoEmptyOnes() {
    assertThat(Words.number(3)).isEqualTo("3");
    assertThat(Words.number(1230)).isEqualTo("1230");
    assertThat(Words.number(1229.6)).isEqualTo("1230");
    assertThat(Words.number(14_630.4)).isEqualTo("14630");
    assertThat(Words.number(0.1)).isEqualTo("0.1");
    assertThat(Words.number(0.072)).isEqualTo("0.072");
    assertThat(Words.number(1.8444e-5)).isEqualTo("1.844e-05");
    assertThat(Words.number(1e-5)).isEqualTo("1e-05");
    assertThat(Words.number(Double.NaN)).isEqualTo("NaN");
    assertThat(Words.number(Double.POSITIVE_INFINITY)).isEqualTo("Infinity");
  }

  @Test
  void countsHaveTheirPlural() {
    assertThat(Words.count(1, "worker")).isEqualTo("1 worker");
    assertThat(Words.count(2, "worker")).isEqualTo("2 workers");
  }
}
