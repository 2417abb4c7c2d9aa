package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.racing.Outlook.Verdict;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class OutlookTest {
  private static final double LEFT = 1000;

  private final Outlook outlook = new Outlook(RacingOptions.DEFAULTS, new History(Goal.MINIMIZE));

  private Verdict after(double spentSeconds, double value, double range) {
    return after(spentSeconds, result(value), range);
  }

  private Verdict after(double spentSeconds, History.Entry result, double range) {
    outlook.validated(result, range, spentSeconds);
    return outlook.verdict(spentSeconds, LEFT, false);
  }

  private static History.Entry result(double value) {
    return new History.Entry(1, 1, 1, value);
  }

  private static History.Entry result(double value, double loss) {
    return new History.Entry(1, 1, 1, value, loss);
  }

  @Test
  void goesOnWhileResultsGetBetter() {
    assertThat(after(1, 0.6, 0)).isEqualTo(Verdict.GO_ON);
    assertThat(after(2, 0.5, 0.1)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void oneResultThatIsALittleWorseIsNoReason() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);

    assertThat(after(3, 0.505, 0.1)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void whatCannotBeComputedYetIsNoOverfitting() {
    assertThat(after(1, Double.NaN, 0)).isEqualTo(Verdict.GO_ON);
    assertThat(after(2, 0.6, 0)).isEqualTo(Verdict.GO_ON);
    outlook.validated(result(0.5), 0.1, 3);

    assertThat(outlook.verdict(100, LEFT, true)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void twoWorseResultsInARowLeadBack() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.505, 0.1);

    assertThat(after(4, 0.504, 0.1)).isEqualTo(Verdict.RETREAT);
  }

  @Test
  void aFallWhileTheLossOnTheSameSamplesFallsIsChance() {
    after(1, result(0.6, 3), 0);
    after(2, result(0.5, 2.5), 0.1);

    assertThat(after(3, result(0.52, 2.4), 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(4, result(0.52, 2.3), 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(5, result(0.505, 2.6), 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(6, result(0.505, 2.5), 0.1)).isEqualTo(Verdict.RETREAT);
  }

  @Test
  void nothingIsFarWorseWhileTheRangeIsNotKnown() {
    after(1, 0.6, Double.POSITIVE_INFINITY);

    assertThat(after(2, 0.9, Double.POSITIVE_INFINITY)).isEqualTo(Verdict.GO_ON);
    assertThat(after(3, Double.NaN, Double.POSITIVE_INFINITY)).isEqualTo(Verdict.RETREAT);
  }

  @Test
  void aResultThatIsAsGoodAsTheBestIsNotWorse() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.505, 0.1);
    after(4, 0.5, 0.1);

    assertThat(after(5, 0.505, 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(6, 0.505, 0.1)).isEqualTo(Verdict.RETREAT);
  }

  @Test
  void afterACheckpointTheBestUpToItCounts() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.4, 0.2);
    outlook.resumed(Optional.of(result(0.5)));

    assertThat(after(4, 0.49, 0.2)).isEqualTo(Verdict.GO_ON);
    assertThat(after(5, 0.48, 0.2)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void whatAPersonWentBackToIsJudgedByItsOwnResults() {
    after(1, 0.6, 0);
    after(2, 0.4, 0.2);
    outlook.resumed(Optional.of(result(0.4)));
    outlook.wentBack(3);

    assertThat(after(4, 0.55, 0.2)).isEqualTo(Verdict.GO_ON);
    assertThat(after(5, 0.54, 0.2)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void oneResultThatIsFarWorseLeadsBack() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);

    assertThat(after(3, 0.52, 0.1)).isEqualTo(Verdict.RETREAT);
    assertThat(after(3, Double.NaN, 0.1)).isEqualTo(Verdict.RETREAT);
  }

  @Test
  void beginsAnewWhereACalmerRateDidNotHelpAndTheBestWasCheap() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    assertThat(after(3, 0.52, 0.1)).isEqualTo(Verdict.RETREAT);
    outlook.retreated();
    after(4, 0.51, 0.1);

    assertThat(after(5, 0.505, 0.1)).isEqualTo(Verdict.RESTART);
  }

  @Test
  void beginsAnewWhereResultsStayALittleWorseAfterARetreat() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.501, 0.1);
    assertThat(after(4, 0.502, 0.1)).isEqualTo(Verdict.RETREAT);
    outlook.retreated();

    assertThat(after(5, 0.501, 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(6, 0.501, 0.1)).isEqualTo(Verdict.RESTART);
  }

  @Test
  void goesOnWhereTheBestTookMostOfTheTime() {
    after(1, 0.6, 0);
    after(90, 0.5, 0.1);
    after(95, 0.52, 0.1);
    outlook.retreated();
    after(96, 0.51, 0.1);

    assertThat(after(100, 0.505, 0.1)).isEqualTo(Verdict.GO_ON);
  }

  /// The model overfitted early; what it gained since was little, so a new start is cheap.
  @Test
  void aSmallGainAfterARetreatDoesNotHideWhatOverfitted() {
    retreatsAt(2);
    after(90, 0.495, 0.1);
    after(95, 0.5, 0.1);

    assertThat(after(100, 0.5, 0.1)).isEqualTo(Verdict.RESTART);
  }

  /// It was taken back early, by chance maybe, and learned most of what it knows since.
  @Test
  void aLargeGainAfterARetreatIsNotThrownAway() {
    retreatsAt(2);
    after(90, 0.3, 0.3);
    after(95, 0.31, 0.3);

    assertThat(after(100, 0.31, 0.3)).isEqualTo(Verdict.RETREAT);
  }

  private void retreatsAt(double seconds) {
    after(1, 0.6, 0);
    after(seconds, 0.5, 0.1);
    assertThat(after(seconds + 1, 0.52, 0.1)).isEqualTo(Verdict.RETREAT);
    outlook.retreated();
  }

  @Test
  void aPlateauAloneIsNoReasonToBeginAnew() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.501, 0.1);
    outlook.retreated();

    assertThat(outlook.verdict(10, LEFT, true)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void aNewStartIsJudgedByItsOwnResults() {
    beginsAnewAt(3);

    assertThat(after(4, 0.58, 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(5, 0.55, 0.1)).isEqualTo(Verdict.GO_ON);
  }

  @Test
  void aNewStartThatIsPastItsBestMakesRoomForTheNext() {
    beginsAnewAt(4);

    assertThat(outlook.isNewStart()).isTrue();
    assertThat(after(5, 0.51, 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(6, 0.53, 0.1)).isEqualTo(Verdict.RESTART);
  }

  @Test
  void aNewStartThatTakesFarLongerThanTheBestIsGivenUp() {
    beginsAnewAt(4);

    assertThat(after(11.5, 0.51, 0.1)).isEqualTo(Verdict.GO_ON);
    assertThat(after(12.5, 0.505, 0.1)).isEqualTo(Verdict.RESTART);
  }

  @Test
  void whereNoTimeIsLeftForANewStartTheBestIsGoneBackTo() {
    beginsAnewAt(4);
    outlook.validated(result(0.51), 0.1, 5);
    outlook.validated(result(0.53), 0.1, 6);

    assertThat(outlook.verdict(6, 1, false)).isEqualTo(Verdict.RETREAT);
    outlook.retreated();
    assertThat(outlook.isNewStart()).isFalse();
  }

  @Test
  void fallingAgainAfterARetreatIsOverfittingThoughTheRetreatHelped() {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    assertThat(after(3, 0.52, 0.1)).isEqualTo(Verdict.RETREAT);
    outlook.retreated();
    after(4, 0.49, 0.1);

    assertThat(after(8, 0.52, 0.1)).isEqualTo(Verdict.RESTART);
  }

  private void beginsAnewAt(double seconds) {
    after(1, 0.6, 0);
    after(2, 0.5, 0.1);
    after(3, 0.52, 0.1);
    outlook.restarted(seconds);
  }
}
