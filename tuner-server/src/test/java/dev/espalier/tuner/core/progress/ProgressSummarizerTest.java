package dev.espalier.tuner.core.progress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.Verdict;
import org.junit.jupiter.api.Test;

final class ProgressSummarizerTest {
  private final ProgressSummarizer withStart = new ProgressSummarizer(4, true, 10);
  private final ProgressSummarizer withoutStart = new ProgressSummarizer(4, false, 10);

  @Test
  void aFallingLossConverges() {
    // x = 9, 7, 5, 3 at t = 1, 2, 3, 4: range -6 in 3 s, no upward step.
    ProgressSummary summary = withoutStart.summarize(Traces.of(1, 9, 7, 5, 3), 10);

    assertThat(summary.verdict()).isEqualTo(Verdict.CONVERGING);
    assertThat(summary.range()).isEqualTo(-6);
    assertThat(summary.seconds()).isEqualTo(3);
    assertThat(summary.slope()).isEqualTo(2);
    assertThat(summary.noise()).isZero();
    assertThat(summary.speed()).isEqualTo(2);
  }

  @Test
  void theStartingLossStandsInFrontAtTimeZero() {
    // x = 10 at 0, then 9, 7, 5, 3: range -7 in 4 s.
    ProgressSummary summary = withStart.summarize(Traces.of(1, 9, 7, 5, 3), 10);

    assertThat(summary.windowMeans()).containsExactly(10.0, 9.0, 7.0, 5.0, 3.0);
    assertThat(summary.windowSeconds()).containsExactly(0.0, 1.0, 2.0, 3.0, 4.0);
    assertThat(summary.speed()).isEqualTo(7.0 / 4);
  }

  @Test
  void noiseIsChargedToTheSpeed() {
    // Range -6, largest upward step 2 > 6/4: unstable, speed (6 - 2) / 3.
    ProgressSummary summary = withoutStart.summarize(Traces.of(1, 9, 4, 6, 3), 10);

    assertThat(summary.verdict()).isEqualTo(Verdict.UNSTABLE);
    assertThat(summary.noise()).isEqualTo(2);
    assertThat(summary.speed()).isCloseTo(4.0 / 3, within(1e-12));
    assertThat(summary.slope()).isEqualTo(2);
  }

  @Test
  void noiseMustStayStrictlyBelowItsShareOfTheRange() {
    // |range| = 8, eps = 1/4: a step of 2 is on the bound, 1.5 is below it.
    assertThat(withoutStart.summarize(Traces.of(1, 9, 3, 5, 1), 10).verdict())
        .isEqualTo(Verdict.UNSTABLE);
    assertThat(withoutStart.summarize(Traces.of(1, 9, 3, 4.5, 1), 10).verdict())
        .isEqualTo(Verdict.CONVERGING);
  }

  @Test
  void aFlatTraceIsUnstableWithoutSpeed() {
    ProgressSummary summary = withStart.summarize(Traces.of(1, 5, 5, 5, 5), 5);

    assertThat(summary.verdict()).isEqualTo(Verdict.UNSTABLE);
    assertThat(summary.speed()).isZero();
  }

  @Test
  void roundingOfEqualLossesIsNoDescent() {
    ProgressSummary summary =
        withStart.summarize(Traces.of(1, 4.6, 4.6, 4.6, 4.6), Math.nextUp(4.6));

    assertThat(summary.verdict()).isEqualTo(Verdict.UNSTABLE);
    assertThat(summary.speed()).isZero();
  }

  @Test
  void aRisingTraceBelowTheFactorIsUnstableWithoutSpeed() {
    ProgressSummary summary = withStart.summarize(Traces.of(1, 6, 7, 8, 9), 5);

    assertThat(summary.verdict()).isEqualTo(Verdict.UNSTABLE);
    assertThat(summary.speed()).isZero();
    assertThat(summary.slope()).isEqualTo(-1);
  }

  @Test
  void anOverflowedLossDivergesAtOnce() {
    for (double overflow : new double[] {Double.NaN, Double.POSITIVE_INFINITY}) {
      ProgressSummary summary = withStart.summarize(Traces.of(1, 5, overflow), 5);

      assertThat(summary.verdict()).isEqualTo(Verdict.DIVERGED);
      assertThat(summary.speed()).isZero();
    }
  }

  @Test
  void aLastMeanAboveTheFactorDiverges() {
    assertThat(withStart.summarize(Traces.of(1, 1, 1, 1, 10), 1).verdict())
        .isEqualTo(Verdict.UNSTABLE);
    assertThat(withStart.summarize(Traces.of(1, 1, 1, 1, 10.5), 1).verdict())
        .isEqualTo(Verdict.DIVERGED);
  }

  @Test
  void theFactorSaysNothingOfLossesBelowZero() {
    assertThat(withStart.summarize(Traces.of(1, -2, -3, -4, -5), -1).verdict())
        .isEqualTo(Verdict.CONVERGING);
  }

  @Test
  void aLateDescentShowsOnlyInALongerTrace() {
    assertThat(withStart.summarize(Traces.of(1, 8, 8.2, 8, 8.1), 8).verdict())
        .isEqualTo(Verdict.UNSTABLE);
    assertThat(withStart.summarize(Traces.of(1, 8, 8.2, 8, 8.1, 6, 4, 2, 1), 8).verdict())
        .isEqualTo(Verdict.CONVERGING);
  }

  @Test
  void fewerPointsThanWindowsAreInconclusive() {
    ProgressSummary summary = withStart.summarize(Traces.of(1, 9, 7, 5), 10);

    assertThat(summary.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
    assertThat(summary.speed()).isZero();
    assertThat(summary.windowMeans()).isEmpty();
  }

  @Test
  void blowingUpAndRecoveringIsNotFastOnceTheStartIsKnown() {
    ProgressTrace recovering = Traces.of(1, 40, 20, 9, 6);
    ProgressTrace steady = Traces.of(1, 4, 3, 2, 1);

    assertThat(withoutStart.summarize(recovering, 5).speed())
        .isGreaterThan(withoutStart.summarize(steady, 5).speed());
    assertThat(withStart.summarize(recovering, 5).speed()).isZero();
    assertThat(withStart.summarize(steady, 5).speed()).isPositive();
  }

  @Test
  void clocksThatTakeNoTimeSayNothing() {
    ProgressSummary summary = withStart.summarize(Traces.of(0, 9, 7, 5, 3), 10);

    assertThat(summary.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
    assertThat(summary.speed()).isZero();
  }

  @Test
  void constantsAreChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ProgressSummarizer(2, true, 10))
        .withMessage("windows must be >= 3 but is 2");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new ProgressSummarizer(10, true, 1))
        .withMessage("divergenceFactor must be > 1 but is 1.0");
  }
}
