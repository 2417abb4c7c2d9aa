package dev.espalier.tuner.core.policy.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class TrendTest {
  @Test
  void goesOnAlongTheLogarithmOfTime() {
    List<Double> later = Trend.at(9, 1, List.of(0.9, 0.5), 3, List.of(0.7, 0.6));

    assertThat(later.get(0)).isCloseTo(0.5, within(1e-12));
    assertThat(later.get(1)).isCloseTo(0.7, within(1e-12));
  }

  @Test
  void isWhatWasMeasuredWithoutASecondPoint() {
    assertThat(Trend.at(9, 0, List.of(), 3, List.of(0.7))).containsExactly(0.7);
  }

  @Test
  void isWhatWasMeasuredWhereTheHorizonIsNotAhead() {
    assertThat(Trend.at(3, 1, List.of(0.9), 3, List.of(0.7))).containsExactly(0.7);
  }
}
