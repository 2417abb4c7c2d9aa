package dev.espalier.tuner.core.search;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class StopRuleTest {
  private final StopRule rule = new StopRule(5, 0.1);

  @Test
  void fiveBestWithinATenthStopTheSearch() {
    // 1 - 0.91 / 1.0 = 0.09 < 0.1.
    assertThat(rule.isMet(speeds(0.91, 1.0, 0.2, 0.95, 0.97, 0.93))).isTrue();
  }

  @Test
  void theFifthMustLieStrictlyWithin() {
    var withinAQuarter = new StopRule(5, 0.25);

    assertThat(withinAQuarter.isMet(speeds(2.0, 2.0, 2.0, 2.0, 1.5))).isFalse();
    assertThat(withinAQuarter.isMet(speeds(2.0, 2.0, 2.0, 2.0, 1.51))).isTrue();
  }

  @Test
  void fewerThanFiveSpeedsAboveZeroNeverStop() {
    assertThat(rule.isMet(speeds(1, 1, 1, 1))).isFalse();
    assertThat(rule.isMet(speeds(1, 1, 1, 1, 0, 0, 0))).isFalse();
    assertThat(rule.isMet(speeds(0, 0, 0, 0, 0))).isFalse();
    assertThat(rule.isMet(List.of())).isFalse();
  }

  /// A job file may name 0.
  @Test
  void withinNothingNeverStops() {
    assertThat(new StopRule(5, 0).isMet(speeds(1, 1, 1, 1, 1))).isFalse();
  }

  private static List<Observation> speeds(double... speeds) {
    return Arrays.stream(speeds)
        .mapToObj(speed -> new Observation(Setting.EMPTY, speed, Verdict.UNSTABLE))
        .toList();
  }
}
