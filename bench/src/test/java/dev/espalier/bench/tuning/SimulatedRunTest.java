package dev.espalier.bench.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class SimulatedRunTest {
  private static final CostModel COST = new CostModel(1e-4, 1e-6, 1e-4, 1e-7, 1e-6, 1e-4);
  private static final double HORIZON = 0.4;

  private static Workload workload(int workers) {
    return workload(workers, List.of());
  }

  private static Workload workload(int workers, List<Double> staleness) {
    return new Workload(
        "toy",
        "Toy",
        "logreg",
        "toy",
        Optional.empty(),
        Map.of(),
        4000,
        workers,
        staleness,
        5,
        Setting.EMPTY,
        "the program's default");
  }

  private static RunRecord run(int workers, Contender contender, long seed) {
    RunRecord run =
        new SimulatedRun(workload(workers), contender, COST, seed, HORIZON, false, _ -> false)
            .run();
    return withoutCpu(run);
  }

  private static RunRecord withoutCpu(RunRecord run) {
    return new RunRecord(
        run.workload(),
        run.policy(),
        run.seed(),
        run.outcome(),
        run.horizonSeconds(),
        run.endSeconds(),
        run.qualities(),
        run.branches(),
        run.tuningSeconds(),
        run.trainingSeconds(),
        run.evaluationSeconds(),
        0);
  }

  @Test
  void sameSeedGivesTheSameRun() {
    var policy = Contender.named("mltuner", Map.of("tuning.maxTrials", 6));
    RunRecord one = run(1, policy, 7);
    assertThat(one).isEqualTo(run(1, policy, 7));
    assertThat(one).isNotEqualTo(run(1, policy, 8));
    assertThat(one.forks()).isPositive();
    assertThat(one.tuningShare()).isBetween(0.01, 0.99);
    assertThat(one.qualities()).isNotEmpty();
  }

  @Test
  void severalWorkersGiveTheSameRunAtAnyStaleness() {
    for (double staleness : new double[] {0, 3}) {
      var fixed =
          Contender.fixed(
              "fixed",
              workload(3).carefulSetting().with("staleness", staleness).with("batchSize", 32));
      RunRecord one = run(3, fixed, 1);
      assertThat(one).isEqualTo(run(3, fixed, 1));
      assertThat(one.best(Goal.MINIMIZE)).isLessThan(0.65);
    }
  }

  @Test
  void timeIsThatOfTheCostModel() {
    var fixed = Contender.fixed("fixed", workload(1).carefulSetting().with("batchSize", 128));
    RunRecord run = run(1, fixed, 1);
    double clock = COST.clockSeconds(128, 0) - COST.syncSeconds();
    double epoch = Math.ceilDiv(4000, 128) * clock;
    RunRecord.Quality first = run.qualities().getFirst();
    assertThat(first.seconds())
        .isCloseTo(
            epoch + Math.ceilDiv(4000, 128) * COST.syncSeconds() + 5000 * 1e-7,
            org.assertj.core.api.Assertions.within(1e-9));
    assertThat(run.endSeconds()).isBetween(HORIZON, 1.1 * HORIZON);
    assertThat(run.tuningShare()).isZero();
  }

  @Test
  void whatIsWrongWithAJobIsSaid() {
    var contender = Contender.named("mltuner", Map.of("tuning.maxTrails", 6));
    assertThatThrownBy(() -> run(1, contender, 1))
        .hasMessageContaining("mltuner")
        .hasMessageContaining("maxTrails");
  }

  /// With four workers a stale clock waits less.
  @Test
  void racingTakesTheStalenessThatWaitsLess() {
    Map<String, Object> staleness =
        Map.of("staleness", Map.of("type", "choice", "values", List.of(0, 1, 3), "default", 0));

    var waiting = new CostModel(1e-4, 1e-6, 1e-3, 1e-7, 1e-6, 1e-4);
    RunRecord run =
        new SimulatedRun(
                workload(4),
                Contender.named("racing", Map.of("tunables", staleness)),
                waiting,
                1,
                5 * HORIZON,
                false,
                _ -> false)
            .run();

    assertThat(run.outcome()).isEqualTo("ended");
    assertThat(run.branches().getFirst().setting()).containsEntry("staleness", 0.0);
    assertThat(run.branches())
        .filteredOn(branch -> branch.kind().equals("MAINLINE"))
        .anyMatch(branch -> branch.setting().get("staleness") > 0);
  }

  @Test
  void everyPolicyMayChooseTheStalenessThatAWorkloadNames() {
    Workload workload = workload(4, List.of(0.0, 1.0, 3.0));
    for (String policy : List.of("racing", "mltuner", "asha", "asha-as-published")) {
      assertThat(Contender.named(policy, Map.of()).plan(workload, COST, 1, HORIZON).space())
          .as(policy)
          .isEqualTo(workload.space());
    }
  }
}
