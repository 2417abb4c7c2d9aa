package dev.espalier.tuner.core.population;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class PbtPlannerTest {
  private static final SearchSpace SPACE =
      new SearchSpace(
          List.of(
              new Tunable.LogRange("learningRate", 1e-4, 1, 0.01),
              new Tunable.LinearRange("momentum", 0, 0.99, 0.9),
              new Tunable.Choice("batchSize", List.of(8.0, 16.0, 32.0, 64.0), 16)));

  private static final Setting SETTING =
      Setting.of(Map.of("learningRate", 0.1, "momentum", 0.5, "batchSize", 16.0));

  @Test
  void membersTrainInTurn() {
    Curves curves = new Curves(planner(5, 0.2, 0), (run, epochs) -> -Math.abs(run.member() - 4));

    assertThat(curves.run(7).orders().stream().limit(5))
        .allMatch(order -> order.step() instanceof Order.Step.Start);
    assertThat(curves.orders().get(5).step()).isInstanceOf(Order.Step.Copy.class);
    assertThat(curves.orders().get(6).step()).isEqualTo(new Order.Step.Continue(2, 2));
  }

  /// Section 4.1.1: with ten members and a truncation of 20%, the worst two are replaced, each by a
  /// copy of one of the best two.
  @Test
  void theWorstFifthTakesTheWeightsOfTheBestFifth() {
    var sources = new java.util.TreeSet<Integer>();
    var replaced = new java.util.TreeSet<Integer>();
    for (long seed = 0; seed < 20; seed++) {
      for (int member = 1; member <= 10; member++) {
        Order order = planner(10, 0.2, seed).next(population(10, member));
        if (order.step() instanceof Order.Step.Copy copy) {
          sources.add(copy.source());
          replaced.add(copy.replaced());
        } else {
          assertThat(order.step()).isEqualTo(new Order.Step.Continue(member, 2));
        }
      }
    }

    assertThat(sources).isEqualTo(Set.of(9, 10));
    assertThat(replaced).isEqualTo(Set.of(1, 2));
  }

  @Test
  void aCopyIsPerturbedByAFifthOrMovesToANeighbour() {
    JobPlan.Runs options = options(10, 0.2, 0);
    var factors = new java.util.TreeSet<Long>();
    var batches = new java.util.TreeSet<Double>();
    for (long seed = 0; seed < 20; seed++) {
      Setting copy = copied(Planners.of("pbt", SPACE, options, seed));
      factors.add(Math.round(copy.value("learningRate") / 0.1 * 10));
      factors.add(Math.round(copy.value("momentum") / 0.5 * 10));
      batches.add(copy.value("batchSize"));
    }

    assertThat(factors).isEqualTo(Set.of(8L, 12L));
    assertThat(batches).isEqualTo(Set.of(8.0, 32.0));
  }

  @Test
  void aCopyMayBeDrawnAfresh() {
    var rates = new java.util.TreeSet<Double>();
    for (long seed = 0; seed < 10; seed++) {
      rates.add(copied(Planners.of("pbt", SPACE, options(10, 0.2, 1), seed)).value("learningRate"));
    }

    assertThat(rates).hasSize(10).noneMatch(rate -> Math.abs(rate - 0.1) < 0.0201);
  }

  @Test
  void aCopyTrainsAnIntervalBeforeItMayBeReplaced() {
    List<Run> runs = new ArrayList<>(population(5, 1));
    runs.add(new Run(6, 1, SETTING, 1, List.of(), false));

    assertThat(planner(5, 0.2, 1).next(runs).step()).isEqualTo(new Order.Step.Continue(6, 2));
  }

  @Test
  void aDivergedMemberGoesOnAsACopy() {
    List<Run> runs = new ArrayList<>(population(5, 3));
    runs.set(2, new Run(3, 3, SETTING, 0, List.of(), true));

    assertThat(planner(5, 0.2, 1).next(runs).step())
        .isInstanceOfSatisfying(
            Order.Step.Copy.class,
            copy -> {
              assertThat(copy.replaced()).isEqualTo(3);
              assertThat(copy.source()).isEqualTo(5);
            });
  }

  @Test
  void noneOfManyDivergedMembersGoesOn() {
    List<Run> runs = new ArrayList<>(population(10, 3));
    for (int member : List.of(2, 5, 7)) {
      runs.set(member - 1, new Run(member, member, SETTING, 0, List.of(), true));
    }

    assertThat(planner(10, 0.2, 1).next(runs).step())
        .isInstanceOfSatisfying(
            Order.Step.Copy.class, copy -> assertThat(copy.replaced()).isEqualTo(2));

    Curves curves =
        new Curves(
            planner(10, 0.2, 4),
            (run, epochs) ->
                run.number() <= 10 && run.number() % 3 == 0 ? Double.NaN : epochs + run.member());
    assertThat(curves.run(1_000).orders().getLast().step()).isInstanceOf(Order.Step.Done.class);
  }

  @Test
  void memberThatIsCompleteIsNotCopied() {
    List<Run> runs = new ArrayList<>(population(5, 1));
    runs.set(4, new Run(5, 5, SETTING, 0, List.of(new Run.Result(9, 5)), false));

    assertThat(planner(5, 0.2, 1).next(runs).step()).isEqualTo(new Order.Step.Continue(1, 2));

    for (long seed = 0; seed < 10; seed++) {
      assertThat(planner(5, 0.4, seed).next(runs).step())
          .isInstanceOfSatisfying(
              Order.Step.Copy.class, copy -> assertThat(copy.source()).isEqualTo(4));
    }
  }

  /// Members train in turn: one that is not far yet is no worse for it.
  @Test
  void membersAreComparedAtOneAge() {
    var runs = new ArrayList<Run>();
    for (int member = 1; member <= 10; member++) {
      var results = new ArrayList<>(List.of(new Run.Result(1, 1 + 0.01 * member)));
      if (member != 9) {
        results.add(new Run.Result(2, 2 + 0.01 * member));
      }
      runs.add(new Run(member, member, SETTING, 0, results, false));
    }

    assertThat(planner(10, 0.2, 1).next(runs).step()).isEqualTo(new Order.Step.Continue(9, 2));
  }

  @Test
  void thePopulationEndsWhenAllAreAtTheirEnd() {
    Curves curves =
        new Curves(planner(5, 0.2, 4), (run, epochs) -> epochs - 0.01 * run.number()).run(1_000);

    assertThat(curves.orders().getLast().step()).isInstanceOf(Order.Step.Done.class);
    assertThat(curves.runs().stream().filter(run -> run.epochs() > 8.99)).hasSizeGreaterThan(4);
  }

  /// Where runs are shorter than an interval, members are complete before the first decision.
  @Test
  void runsThatAreShorterThanAnIntervalEnd() {
    var planner =
        Planners.of(
            "pbt",
            Curves.SPACE,
            new JobPlan.Runs(24, 2, 1, 3, 3, 3, 4, 5, 0.2, 0.25, 1.2, false, false),
            1);
    Curves curves = new Curves(planner, (run, _) -> run.number()).run(100);

    assertThat(curves.orders()).hasSize(5);
    assertThat(curves.orders().getLast().step()).isInstanceOf(Order.Step.Done.class);
    assertThat(curves.runs()).allMatch(run -> run.epochs() == 2);
  }

  /// The toy of section 4.1 and figure 2, exploit alone: maximise 1.2 - t0^2 - t1^2, where a run
  /// climbs the gradient of the surrogate 1.2 - h0 t0^2 - h1 t1^2. With h = (1, 0) or (0, 1) a run
  /// alone stays blind in one direction, and ends at 1.2 - 0.9^2.
  @Test
  void theToyOfThePaperIsSolvedByCopyingAlone() {
    double[][] weights = {{0.9, 0.9}, {0.9, 0.9}};
    var planner =
        Planners.of(
            "pbt",
            Curves.SPACE,
            new JobPlan.Runs(2, 100, 1, 3, 3, 3, 2, 1, 0.5, 0, 1.2, false, false),
            1);
    var curves =
        new Curves(
            planner,
            (run, epochs) -> {
              int member = run.member() - 1;
              boolean isCopy = run.number() > 2 && run.results().isEmpty();
              if (isCopy) {
                weights[member] = weights[1 - member].clone();
              }
              weights[member][member] *= Math.pow(1 - 0.02 * 2, 4);
              double[] at = weights[member];
              return 1.2 - at[0] * at[0] - at[1] * at[1];
            });

    assertThat(curves.run(1_000).runs().getLast().bestScore()).isCloseTo(1.2, within(0.02));
  }

  private static Setting copied(Planner planner) {
    Order order = planner.next(population(10, 1));
    return ((Order.Step.Copy) order.step()).setting();
  }

  /// Members of rising quality at epoch 2, but for `behind`, which is at epoch 1 and next.
  private static List<Run> population(int size, int behind) {
    var runs = new ArrayList<Run>();
    for (int member = 1; member <= size; member++) {
      double epochs = member == behind ? 1 : 2;
      runs.add(new Run(member, member, SETTING, 0, List.of(new Run.Result(epochs, member)), false));
    }
    return runs;
  }

  private static Planner planner(int size, double truncation, long seed) {
    return Planners.of("pbt", SPACE, options(size, truncation, 0), seed);
  }

  private static JobPlan.Runs options(int size, double truncation, double resample) {
    return new JobPlan.Runs(24, 9, 1, 3, 3, 3, size, 1, truncation, resample, 1.2, false, false);
  }
}
