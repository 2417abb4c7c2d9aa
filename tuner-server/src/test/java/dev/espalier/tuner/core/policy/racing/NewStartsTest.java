package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class NewStartsTest {
  private static final Offset<Double> ROUNDING = Offset.offset(1e-9);

  private static final Setting DEFAULTS = setting(0.03);

  private final NewStarts starts =
      new NewStarts(
          new Neighbourhood(
              new SearchSpace(
                  List.of(
                      new Tunable.LogRange("learningRate", 1e-5, 10, 0.03),
                      new Tunable.Choice("batchSize", List.of(16.0, 64.0, 256.0), 64))),
              4,
              1.5,
              List.of()),
          Goal.MINIMIZE,
          DEFAULTS);
  private Setting now = setting(0.09);
  private double bestsLeft = Double.POSITIVE_INFINITY;

  private static Setting setting(double rate) {
    return Setting.of(Map.of("learningRate", rate, "batchSize", 64.0));
  }

  /// Ends the present run, whose best result is `best`.
  private boolean begins(double best) {
    starts.validated(now, best + 1);
    starts.validated(now, best);
    starts.validated(now, Double.NaN);
    Optional<Setting> next = starts.next(now, _ -> true, bestsLeft);
    next.ifPresent(setting -> now = setting);
    return next.isPresent();
  }

  private void assertRuns(double batchSize, double rate) {
    assertThat(now.valueOr("batchSize", 0)).isEqualTo(batchSize);
    assertThat(now.valueOr("learningRate", 0)).isCloseTo(rate, ROUNDING);
  }

  @Test
  void theSmallerBatchAtTheScaledRateComesFirst() {
    assertThat(begins(1)).isTrue();

    assertRuns(16, 0.045);
  }

  @Test
  void aDefaultThatCameMostOfTheWayBeforeABolderRateWonComesFirst() {
    starts.validated(DEFAULTS, 2);
    starts.validated(DEFAULTS, 1.4);
    begins(1);

    assertThat(now).isEqualTo(DEFAULTS);
    begins(1.1);
    assertRuns(16, 0.045);
  }

  @Test
  void aDefaultThatHadHardlyBegunDoesNotRunAgain() {
    starts.validated(DEFAULTS, 2);
    starts.validated(DEFAULTS, 1.6);
    begins(1);

    assertRuns(16, 0.045);
  }

  @Test
  void aDefaultThatACalmerRateBeatDoesNotRunAgain() {
    now = setting(0.003);
    starts.validated(DEFAULTS, 2);
    starts.validated(DEFAULTS, 1.4);
    begins(1);

    assertRuns(16, 0.0015);
  }

  @Test
  void aCalmerRateIsNoCalmerThanTheTimeThatIsLeftAllows() {
    begins(1);
    bestsLeft = 2;
    begins(2);

    assertRuns(64, 0.09 / 1.8);
  }

  @Test
  void aCalmerRateThatCouldNotShowItsBestInTimeIsLeftOut() {
    begins(1);
    bestsLeft = 1.3;
    begins(2);

    assertRuns(256, 0.18);
  }

  @Test
  void whereABatchIsTheSmallestTheRateIsNext() {
    begins(1);
    begins(0.9);

    assertRuns(16, 0.015);
  }

  @Test
  void aStepThatPaidIsTakenAgain() {
    begins(1);
    begins(0.9);
    begins(0.8);

    assertRuns(16, 0.005);
  }

  @Test
  void whatDidNotPayIsLeftForTheNextStepFromTheBest() {
    begins(1);
    begins(1.1);

    assertRuns(64, 0.03);
  }

  @Test
  void endsWhenAllNeighboursOfTheBestWereRunAndNeverRunsOneTwice() {
    int runs = 0;
    double value = 1;
    while (begins(value)) {
      value = 2;
      runs++;
    }

    assertThat(runs).isEqualTo(4);
    assertThat(begins(2)).isFalse();
  }

  @Test
  void aRunWithoutAResultDidNotPay() {
    begins(1);
    Setting first = now;

    Optional<Setting> next = starts.next(now, _ -> true, bestsLeft);

    assertThat(next).isPresent();
    assertThat(next.orElseThrow()).isNotEqualTo(first);
    assertThat(next.orElseThrow().valueOr("batchSize", 0)).isEqualTo(64);
  }

  @Test
  void whatAJobCannotTrainWithIsNotBegun() {
    starts.validated(now, 1);

    assertThat(starts.next(now, setting -> setting.valueOr("batchSize", 0) == 64, bestsLeft))
        .isPresent()
        .get()
        .satisfies(setting -> assertThat(setting.valueOr("batchSize", 0)).isEqualTo(64));
  }
}
