package dev.espalier.tuner.core.population;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class HyperbandPlannerTest {
  /// Li et al. 2018, table 1: R = 81 and eta = 3; n_i and r_i from the left bracket to the right.
  @Test
  void theBracketsAreThoseOfThePaper() {
    List<Halving> brackets = Halving.brackets(Curves.options(1, 81, 1));

    assertThat(brackets.stream().map(HyperbandPlannerTest::table))
        .containsExactly(
            "81@1 27@3 9@9 3@27 1@81",
            "34@3 11@9 3@27 1@81",
            "15@9 5@27 1@81",
            "8@27 2@81",
            "5@81");
  }

  @Test
  void fractionsOfAnEpochMakeRungsToo() {
    List<Halving> brackets = Halving.brackets(Curves.options(1, 1, 1.0 / 9));

    assertThat(brackets.getFirst().rungs()).extracting(Halving.Rung::runs).containsExactly(9, 3, 1);
    assertThat(brackets.getFirst().rungs().getFirst().epochs()).isCloseTo(1.0 / 9, within(1e-12));
  }

  @Test
  void aRoundTrainsAsManyRunsToEachRungAsTheTableSays() {
    Curves curves = curves(1, (run, _) -> run.setting().value("x")).run(10_000);
    Map<Double, Long> byEpochs =
        curves.runs().stream()
            .collect(Collectors.groupingBy(Run::epochs, TreeMap::new, Collectors.counting()));

    // s = 2: 9@1 3@3 1@9; s = 1: 5@3 1@9; s = 0: 3@9.
    assertThat(byEpochs).isEqualTo(new TreeMap<>(Map.of(1.0, 6L, 3.0, 2L + 4, 9.0, 1L + 1 + 3)));
    assertThat(curves.orders().getLast().step()).isInstanceOf(Order.Step.Done.class);
  }

  @Test
  void theBestOfARungGoOn() {
    Curves curves = curves(1, (run, _) -> run.setting().value("x")).run(10_000);
    List<Run> first = curves.runs().subList(0, 9);
    double third = first.stream().map(run -> run.setting().value("x")).sorted().toList().get(6);

    assertThat(first).allMatch(run -> run.epochs() >= 3 == run.setting().value("x") >= third);
  }

  @Test
  void aDivergedRunNeverGoesOn() {
    Curves curves =
        curves(1, (run, _) -> run.number() % 3 == 0 ? Double.NaN : run.setting().value("x"))
            .run(10_000);

    assertThat(curves.runs()).filteredOn(Run::hasDiverged).allMatch(run -> run.epochs() == 0);
    assertThat(curves.orders().getLast().step()).isInstanceOf(Order.Step.Done.class);
  }

  @Test
  void roundsRepeatUntilEnoughRunsWereStarted() {
    Curves curves = curves(18, (run, _) -> run.setting().value("x")).run(10_000);

    assertThat(curves.runs()).hasSize(2 * (9 + 5 + 3));
    assertThat(curves.runs().stream().map(Run::setting).distinct()).hasSize(34);
  }

  @Test
  void whatWillNotGoOnIsRetired() {
    Curves curves = curves(1, (run, _) -> run.setting().value("x")).run(10_000);
    Order firstOfSecondBracket =
        curves.orders().stream()
            .filter(order -> order.why().startsWith("number 1 of 5"))
            .findFirst()
            .orElseThrow();

    assertThat(firstOfSecondBracket.retired()).hasSize(9);
  }

  private static Curves curves(
      int maxRuns, java.util.function.ToDoubleBiFunction<Run, Double> score) {
    return new Curves(
        Planners.of("hyperband", Curves.SPACE, Curves.options(maxRuns, 9, 1), 7), score);
  }

  private static String table(Halving bracket) {
    return bracket.rungs().stream()
        .map(rung -> rung.runs() + "@" + Math.round(rung.epochs()))
        .collect(Collectors.joining(" "));
  }
}
