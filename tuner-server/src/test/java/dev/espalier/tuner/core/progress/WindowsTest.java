package dev.espalier.tuner.core.progress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

final class WindowsTest {
  @Test
  void equalWindowsTakeTheMeansOfTheirPoints() {
    Windows windows = Windows.of(Traces.of(1, 8, 6, 4, 2, 1, 1), 3);

    assertThat(windows.losses()).containsExactly(7.0, 3.0, 1.0);
    assertThat(windows.seconds()).containsExactly(1.5, 3.5, 5.5);
  }

  @Test
  void aRemainderIsSpreadAndNoPointIsLost() {
    // 7 points in 3 windows: floor(7/3) = 2, floor(14/3) = 4, so lengths 2, 2, 3.
    Windows windows = Windows.of(Traces.of(1, 1, 3, 5, 7, 9, 10, 11), 3);

    assertThat(windows.losses()).containsExactly(2.0, 6.0, 10.0);
  }

  @Test
  void asManyPointsAsWindowsAreTheirOwnMeans() {
    assertThat(Windows.of(Traces.of(0.5, 3, 2, 1), 3).losses()).containsExactly(3.0, 2.0, 1.0);
  }

  @Test
  void everyLengthGivesExactlyKWindowsWithTheRightTotal() {
    for (int points = 10; points < 60; points++) {
      double[] losses = new double[points];
      java.util.Arrays.fill(losses, 2.0);
      assertThat(Windows.of(Traces.of(1, losses), 10).losses())
          .as("%d points", points)
          .hasSize(10)
          .allMatch(mean -> mean == 2.0);
    }
  }

  @Test
  void tooFewPointsAreRefusedWithTheBound() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Windows.of(Traces.of(1, 1, 2), 3))
        .withMessage("windows must be in [1, 2] but are 3");
  }
}
