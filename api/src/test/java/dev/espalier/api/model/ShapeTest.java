package dev.espalier.api.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ShapeTest {
  @Test
  void rateFallsLinearlyToZeroAndStartsAgain() {
    Shape shape = Shape.linearToZero(2, 6);

    assertThat(LongStream.range(0, 8).mapToDouble(shape::factor).toArray())
        .containsExactly(1, 1, 1, 0.75, 0.5, 0.25, 1, 1);
  }

  @Test
  void constantStays() {
    assertThat(Shape.CONSTANT.factor(1L << 40)).isEqualTo(1);
  }

  @Test
  void annealNeedsClocks() {
    assertThatThrownBy(() -> Shape.linearToZero(5, 5)).hasMessageContaining("5 and 5");
  }

  @Test
  void heldOutIsBoundedByItsShare() {
    var heldOut = new HeldOut(2000, 0.05, ProbeSource.HELD_OUT);

    assertThat(heldOut.of(60_000, 5000)).isEqualTo(2000);
    assertThat(heldOut.of(10_000, 5000)).isEqualTo(500);
    assertThat(heldOut.probeSamples(10_000, 5000)).isEqualTo(500);
    assertThat(HeldOut.NOTHING.of(60_000, 5000)).isZero();
  }

  @Test
  void nothingIsHeldOutWhereEnoughValidationSamplesJudge() {
    var heldOut = new HeldOut(2000, 0.05, ProbeSource.VALIDATION);

    assertThat(heldOut.of(10_000, 500)).isZero();
    assertThat(heldOut.probeSamples(10_000, 500)).isEqualTo(500);
    assertThat(heldOut.of(10_000, 499)).isEqualTo(500);
    assertThat(heldOut.probeSamples(10_000, 499)).isEqualTo(500);
    assertThat(heldOut.isOfValidation(10, 0)).isFalse();
  }
}
