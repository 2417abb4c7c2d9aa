package dev.espalier.tuner.core.policy.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class PairedDifferenceTest {
  private static final double CONFIDENCE = 0.95;

  /// Differences -3, -1, -2, -2: mean -2, standard deviation sqrt(2/3), error 0.408; the quantile
  /// of Student's t at 0.95 with 3 degrees of freedom is 2.3534.
  @Test
  void boundsAreThoseOfStudentsPairedTest() {
    PairedDifference difference =
        PairedDifference.of(List.of(1.0, 2.0, 3.0, 4.0), List.of(4.0, 3.0, 5.0, 6.0), CONFIDENCE);

    assertThat(difference.mean()).isEqualTo(-2);
    assertThat(difference.halfWidth()).isCloseTo(2.3534 * 0.40825, within(1e-3));
    assertThat(difference.isBetter()).isTrue();
    assertThat(difference.isWorse()).isFalse();
  }

  @Test
  void nothingCanBeToldFromOnePair() {
    PairedDifference difference = PairedDifference.of(List.of(1.0), List.of(9.0), CONFIDENCE);

    assertThat(difference.mean()).isEqualTo(-8);
    assertThat(difference.isBetter()).isFalse();
    assertThat(difference.isWorse()).isFalse();
  }

  @Test
  void nothingCanBeToldFromNone() {
    PairedDifference difference = PairedDifference.of(List.of(), List.of(), CONFIDENCE);

    assertThat(difference.pairs()).isZero();
    assertThat(difference.isBetter()).isFalse();
    assertThat(difference.isWorse()).isFalse();
  }

  @Test
  void whatIsTheSameOnAllBlocksIsNoChance() {
    PairedDifference difference =
        PairedDifference.of(List.of(1.0, 2.0), List.of(1.5, 2.5), CONFIDENCE);

    assertThat(difference.isBetter()).isTrue();
  }
}
