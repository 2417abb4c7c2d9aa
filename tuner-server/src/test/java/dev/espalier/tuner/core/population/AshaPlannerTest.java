package dev.espalier.tuner.core.population;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class AshaPlannerTest {
  /// Scores of nine runs as in the example of Li et al. 2020, figure 2 (n = 9, r = 1, R = 9, eta =
  /// 3), with one worker: whenever a third of a rung is not promoted yet, its best is, top rung
  /// first.
  @Test
  void runsArePromotedAsSoonAsTheyAreAmongTheBestThird() {
    double[] scores = {1, 6, 7, 8, 9, 5, 2, 3, 4};
    Curves curves = curves(9, scores).run(1_000);

    assertThat(shown(curves.orders()))
        .containsExactly(
            "1@1", "2@1", "3@1", "3@3", "4@1", "4@3", "5@1", "5@3", "5@9", "6@1", "7@1", "8@1",
            "9@1", "done");
  }

  @Test
  void aRunThatFallsBehindStaysAndIsPromotedWhenTheRungHasGrown() {
    // Run 3 leads; 2 is second of three, then second of six, when two may go on.
    double[] scores = {1, 8, 9, 2, 3, 4};
    Curves curves = curves(6, scores).run(1_000);

    assertThat(shown(curves.orders()))
        .containsExactly("1@1", "2@1", "3@1", "3@3", "4@1", "5@1", "6@1", "2@3", "done");
  }

  /// Rungs are fractions of an epoch, and a run ends with the clock that takes it there.
  @Test
  void aRungIsJudgedByTheResultBeyondIt() {
    double[] scores = {1, 6, 7, 8, 9, 5, 2, 3, 4};
    Curves curves =
        new Curves(
                Planners.of("asha", Curves.SPACE, Curves.options(9, 10, 10.0 / 27), 3),
                (run, epochs) -> scores[run.number() - 1])
            .inClocks(177)
            .run(1_000);

    assertThat(curves.orders().stream().map(Order::step).limit(4).toList().getLast())
        .isInstanceOfSatisfying(
            Order.Step.Continue.class, step -> assertThat(step.run()).isEqualTo(3));
    assertThat(curves.runs())
        .filteredOn(run -> run.hasReached(10.0 / 9))
        .extracting(Run::number)
        .containsExactly(3, 4, 5);
  }

  /// Section 3.2: promoted is a third of a rung, and those that looked like it when the rung was
  /// small, of the order of the square root.
  @Test
  void aboutAThirdOfARungIsPromoted() {
    Curves curves =
        new Curves(
                Planners.of("asha", Curves.SPACE, Curves.options(40, 27, 1), 3),
                (run, epochs) -> run.setting().value("x") + epochs)
            .run(10_000);

    for (double rung : List.of(1.0, 3.0, 9.0)) {
      long here = curves.runs().stream().filter(run -> run.hasReached(rung)).count();
      long beyond = curves.runs().stream().filter(run -> run.hasReached(3 * rung)).count();
      assertThat(beyond - here / 3)
          .as("beyond %s", rung)
          .isBetween(0L, (long) (2 * Math.sqrt(here)));
    }
    assertThat(curves.runs()).hasSize(40);
  }

  @Test
  void divergedRunsAreTheWorst() {
    Curves curves = curves(6, new double[] {1, Double.NaN, Double.NaN, 2, 3, Double.NaN});

    assertThat(shown(curves.run(1_000).orders()))
        .containsExactly(
            "1@1", "2@1", "3@1", "1@3", "4@1", "4@3", "5@1", "5@3", "5@9", "6@1", "done");
  }

  @Test
  void onlyRunsThatCanNeverBePromotedAreRetired() {
    double[] scores = {1, 6, 7, 8, 9, 5, 2, 3, 4};
    List<Order> orders = curves(9, scores).run(1_000).orders();

    // Three of nine may go on from the bottom: the fourth best of those seen may never.
    assertThat(orders.get(4).retired()).isEmpty();
    assertThat(orders.get(6).retired()).containsExactly(1);
    assertThat(orders.get(9).retired()).containsExactly(1, 2, 5);
  }

  private static Curves curves(int maxRuns, double[] scores) {
    return new Curves(
        Planners.of("asha", Curves.SPACE, Curves.options(maxRuns, 9, 1), 3),
        (run, _) -> scores[run.number() - 1]);
  }

  /// Orders as `run@epochs`; starts are numbered as they come.
  private static List<String> shown(List<Order> orders) {
    var shown = new ArrayList<String>();
    int starts = 0;
    for (Order order : orders) {
      shown.add(
          switch (order.step()) {
            case Order.Step.Start start -> ++starts + "@" + Math.round(start.untilEpochs());
            case Order.Step.Continue(int run, double until) -> run + "@" + Math.round(until);
            case Order.Step.Copy copy -> "copy of " + copy.source();
            case Order.Step.Done _ -> "done";
          });
    }
    return shown;
  }
}
