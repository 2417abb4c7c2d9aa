package dev.espalier.tuner.core.population;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CompletionPlannerTest {
  @Test
  void eachRunTrainsToItsEndBeforeTheNextStarts() {
    Curves curves = curves("random", 3, (run, epochs) -> epochs).run(100);

    assertThat(curves.runs()).extracting(Run::epochs).containsExactly(9.0, 9.0, 9.0);
    assertThat(curves.orders()).hasSize(3 * 9 + 1);
    assertThat(curves.orders().getLast().why()).isEqualTo("all 3 runs are complete");
  }

  @Test
  void aPlateauCompletesARun() {
    Curves curves = curves("random", 2, (run, epochs) -> Math.min(epochs, 2)).run(100);

    // Best at epoch 2, three results without a new best after it.
    assertThat(curves.runs()).extracting(Run::epochs).containsExactly(5.0, 5.0);
  }

  @Test
  void aDivergedRunIsComplete() {
    Curves curves =
        curves("random", 3, (run, epochs) -> epochs > run.number() ? Double.NaN : epochs).run(100);

    assertThat(curves.runs()).extracting(Run::epochs).containsExactly(1.0, 2.0, 3.0);
  }

  @Test
  void theGridEndsWhenAllPointsWereTried() {
    Curves curves = curves("grid", 99, (run, epochs) -> epochs).run(1_000);

    assertThat(curves.runs().stream().map(run -> run.setting().value("x")).sorted())
        .containsExactly(0.0, 0.5, 1.0);
    assertThat(curves.orders().getLast().why()).isEqualTo("every setting was tried");
  }

  @Test
  void bayesSettlesWhereRunsEndWell() {
    List<Run> runs =
        curves("bayes", 12, (run, _) -> -Math.abs(run.setting().value("x") - 0.3))
            .run(1_000)
            .runs();

    assertThat(runs.stream().mapToDouble(run -> run.setting().value("x")))
        .anyMatch(x -> Math.abs(x - 0.3) < 0.01);
  }

  @Test
  void theDefaultIsTriedFirstAndNothingElseChanges() {
    for (String policy : Planners.NAMES) {
      JobPlan.Runs drawn = Curves.options(6, 9, 1);
      var told = new JobPlan.Runs(6, 9, 1, 3, 3, 3, 5, 1, 0.2, 0.25, 1.2, true, false);
      Planner knowing = Planners.of(policy, Curves.SPACE, told, 1);
      Order first = knowing.next(List.of());
      Order second =
          knowing.next(
              List.of(
                  new Run(1, 1, Curves.SPACE.defaults(), 0, List.of(new Run.Result(9, 1)), false)));

      assertThat(((Order.Step.Start) first.step()).setting()).isEqualTo(Curves.SPACE.defaults());
      if (second.step() instanceof Order.Step.Start start) {
        Order.Step unknowing = Planners.of(policy, Curves.SPACE, drawn, 1).next(List.of()).step();
        assertThat(start.setting()).isEqualTo(((Order.Step.Start) unknowing).setting());
      }
    }
  }

  @Test
  void plannersArePureFunctionsOfTheRuns() {
    for (String policy : Planners.NAMES) {
      Curves once = curves(policy, 7, (run, epochs) -> run.setting().value("x") * epochs).run(40);
      Planner fresh = Planners.of(policy, Curves.SPACE, Curves.options(7, 9, 1), 11);

      assertThat(fresh.next(once.runs()))
          .as(policy)
          .isEqualTo(
              Planners.of(policy, Curves.SPACE, Curves.options(7, 9, 1), 11).next(once.runs()));
      assertThat(
              curves(policy, 7, (run, epochs) -> run.setting().value("x") * epochs)
                  .run(40)
                  .orders())
          .as(policy)
          .isEqualTo(once.orders());
    }
  }

  private static Curves curves(
      String policy, int maxRuns, java.util.function.ToDoubleBiFunction<Run, Double> score) {
    return new Curves(Planners.of(policy, Curves.SPACE, Curves.options(maxRuns, 9, 1), 11), score);
  }
}
