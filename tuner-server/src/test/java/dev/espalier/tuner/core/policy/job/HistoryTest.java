package dev.espalier.tuner.core.policy.job;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Goal;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

final class HistoryTest {
  @Test
  void fewerResultsThanPatienceAndOneAreNoPlateau() {
    assertThat(accuracies(0.5, 0.4, 0.3, 0.2).isPlateau(4)).isFalse();
    assertThat(accuracies(0.5, 0.4, 0.3, 0.2, 0.1).isPlateau(4)).isTrue();
  }

  @Test
  void aNewBestWithinThePatienceIsNoPlateau() {
    assertThat(accuracies(0.5, 0.4, 0.51, 0.3, 0.2).isPlateau(4)).isFalse();
    assertThat(accuracies(0.5, 0.4, 0.51, 0.3, 0.2).isPlateau(2)).isTrue();
  }

  @Test
  void aTieIsAPlateau() {
    assertThat(accuracies(0.5, 0.5, 0.5).isPlateau(2)).isTrue();
  }

  @Test
  void lowerIsBetterWhereTheGoalSaysSo() {
    assertThat(losses(0.5, 0.4, 0.3).isPlateau(2)).isFalse();
    assertThat(losses(0.3, 0.4, 0.3).isPlateau(2)).isTrue();
  }

  @Test
  void aResultThatExplodedIsLeftOutOfTheRange() {
    History history = losses(0.7, 0.5);
    history.add(new History.Entry(1, 3, 3, 50));
    history.leaveLatestOutOfRange();
    history.add(new History.Entry(1, 4, 4, 0.4));

    assertThat(history.range()).isCloseTo(0.3, Offset.offset(1e-9));
    assertThat(history.size()).isEqualTo(4);

    history.truncate(2);
    history.add(new History.Entry(1, 3, 3, 1.5));

    assertThat(history.range()).isCloseTo(1, Offset.offset(1e-9));
  }

  @Test
  void aResultThatIsNotANumberIsNeverTheBest() {
    assertThat(losses(0.5, Double.NaN, Double.NaN).isPlateau(2)).isTrue();
    assertThat(losses(Double.NaN, 0.5, 0.6).isPlateau(2)).isFalse();
    assertThat(losses(Double.NaN, Double.NaN, Double.NaN).isPlateau(2)).isTrue();
    assertThat(losses(Double.NaN, 0.5).best()).contains(new History.Entry(1, 2, 2, 0.5));
    assertThat(losses(Double.NaN).best()).isEmpty();
  }

  @Test
  void theFirstOfEqualsIsTheBest() {
    assertThat(losses(0.5, 0.4, 0.4).best()).contains(new History.Entry(1, 2, 2, 0.4));
  }

  @Test
  void ofEqualsTheOneWithTheLeastLossIsTheBest() {
    var history = new History(Goal.MAXIMIZE);
    history.add(new History.Entry(1, 1, 1, 0.985, 0.073));
    history.add(new History.Entry(1, 2, 2, 0.985, 0.053));
    history.add(new History.Entry(1, 3, 3, 0.985, 0.06));
    history.add(new History.Entry(1, 4, 4, 0.985));
    history.add(new History.Entry(1, 5, 5, 0.984, 0.01));

    assertThat(history.best().orElseThrow().mainlineClock()).isEqualTo(2);
  }

  @Test
  void truncationForgetsTheLatest() {
    History history = losses(0.5, 0.4, 0.3);
    history.truncate(1);
    assertThat(history.values()).containsExactly(0.5);
    history.truncate(5);
    assertThat(history.size()).isEqualTo(1);
  }

  private static History accuracies(double... values) {
    return of(Goal.MAXIMIZE, values);
  }

  private static History losses(double... values) {
    return of(Goal.MINIMIZE, values);
  }

  private static History of(Goal goal, double... values) {
    var history = new History(goal);
    for (int i = 0; i < values.length; i++) {
      history.add(new History.Entry(1, i + 1, i + 1, values[i]));
    }
    return history;
  }
}
