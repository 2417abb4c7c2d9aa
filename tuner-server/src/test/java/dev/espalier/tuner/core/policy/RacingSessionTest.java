package dev.espalier.tuner.core.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RacingSessionTest {
  private static final double ROUNDING = 1e-9;

  private static JobPlan plan(double rate, double maxEpochs) {
    return plan(rate, 0, 32, maxEpochs);
  }

  /// A job whose space is the rate alone starts from `rate`.
  private static JobPlan plan(double rate, double momentum, double batchSize, double maxEpochs) {
    var space =
        new SearchSpace(
            List.of(
                new Tunable.LogRange("learningRate", 1e-5, 10, rate),
                new Tunable.LinearRange("momentum", 0, 0.95, momentum),
                new Tunable.Choice("batchSize", List.of(8.0, 32.0, 128.0), batchSize)));
    return Jobs.plan(
        "racing", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, maxEpochs);
  }

  private static List<SessionEffect.MainlineEvaluated> evaluations(SimulatedWorkers run) {
    return run.effects(SessionEffect.MainlineEvaluated.class);
  }

  private static double best(SimulatedWorkers run) {
    return evaluations(run).stream()
        .mapToDouble(evaluation -> evaluation.metrics().get("loss"))
        .min()
        .orElseThrow();
  }

  /// {@return seconds until the validation loss is at most `target`}
  private static double secondsTo(double target, SimulatedWorkers run) {
    return evaluations(run).stream()
        .filter(evaluation -> evaluation.metrics().get("loss") <= target)
        .mapToDouble(SessionEffect.MainlineEvaluated::atSeconds)
        .findFirst()
        .orElse(Double.POSITIVE_INFINITY);
  }

  @ParameterizedTest
  @CsvSource({"1e-4", "1e-3", "0.01", "0.1", "1", "10"})
  void findsItsWayFromAnyDefault(double rate) {
    SimulatedWorkers run = Jobs.workers(plan(rate, 30), QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(best(run)).isLessThan(0.102);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 0.01, 0.3, 10})
  void tuningNeverExceedsItsBudget(double rate) {
    SimulatedWorkers run = Jobs.workers(plan(rate, 20), QuadraticModel.quiet(3)).run();

    assertThat(run.effects(SessionEffect.TimeSpent.class))
        .isNotEmpty()
        .allSatisfy(spent ->
            assertThat(spent.tuningSeconds())
                .isLessThanOrEqualTo(
                    0.25
                            * (spent.tuningSeconds()
                                + spent.trainingSeconds()
                                + spent.evaluationSeconds())
                        + ROUNDING));
  }

  @Test
  void isHardlySlowerWhereTheDefaultIsBestAlready() {
    // The fixed run is given the rate that is best for it, and so is the race's default.
    double rate = 0.5;
    Setting best = Setting.of(Map.of("learningRate", rate, "momentum", 0.0, "batchSize", 32.0));
    SimulatedWorkers fixed = Jobs.workers(Jobs.fixed(best, 20), QuadraticModel.quiet(5)).run();
    SimulatedWorkers raced = Jobs.workers(plan(rate, 20), QuadraticModel.quiet(5)).run();

    double target = 1.005 * QuadraticModel.FLOOR;
    assertThat(secondsTo(target, fixed)).isFinite();
    assertThat(secondsTo(target, raced)).isLessThan(1.1 * secondsTo(target, fixed));
  }

  @Test
  void decisionsDoNotDependOnHowReportsAreCut() {
    List<Decision> whole = decisions(1000);
    assertThat(decisions(1)).isEqualTo(whole);
    assertThat(decisions(7)).isEqualTo(whole);
  }

  private static List<Decision> decisions(int pieceClocks) {
    return Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2), pieceClocks).run().decisions();
  }

  @Test
  void replayOfTheEventsGivesTheSameEffects() {
    JobPlan plan = plan(0.01, 10);
    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(2)).run();

    var again = Policies.open(plan);
    var effects = new ArrayList<SessionEffect>(again.start());
    for (SessionEvent event : run.events()) {
      effects.addAll(again.step(event));
    }

    assertThat(effects).isEqualTo(run.effects());
  }

  @ParameterizedTest
  @ValueSource(ints = {5, 60, 200})
  void goesOnFromItsCheckpointWhenWorkersAreLost(int atEvent) {
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 15), QuadraticModel.quiet(2))
            .afterEach((workers, _) -> {
              if (workers.events().size() == atEvent) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.decisions()).extracting(Decision::rule).contains("job.recovery");
    assertThat(best(run)).isLessThan(0.11);
  }

  @Test
  void lapsThatBlowUpAreUndone() {
    SimulatedWorkers run = Jobs.workers(plan(9, 10), QuadraticModel.quiet(1)).run();

    assertThat(run.decisions()).extracting(Decision::rule).contains("racing.rollback");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(best(run)).isLessThan(0.11);
  }

  @Test
  void everyResultCarriesItsEvidence() {
    SimulatedWorkers run = Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2)).run();

    List<Decision> rungs =
        run.decisions().stream().filter(made -> made.rule().equals("racing.rung")).toList();
    assertThat(rungs).isNotEmpty();
    assertThat(rungs)
        .allSatisfy(rung ->
            assertThat(rung.evidence())
                .containsKeys("rung", "confidence", "leader", "entrants", "probeSamples"));
    assertThat(run.decisions()).extracting(Decision::rule).contains("racing.adopt");
  }

  @Test
  void lapsEndCoolAndTheResultIsTheBestCheckpoint() {
    SimulatedWorkers run = Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2)).run();

    assertThat(run.commands())
        .filteredOn(BranchCommand.Schedule.class::isInstance)
        .map(BranchCommand.Schedule.class::cast)
        .extracting(BranchCommand.Schedule::shape)
        .hasAtLeastOneElementOfType(Shape.LinearToZero.class);
    assertThat(run.commands()).hasAtLeastOneElementOfType(BranchCommand.Checkpoint.class);
    assertThat(run.lastShown().message()).contains("best loss").doesNotContain("checkpoint");
  }

  @Test
  void aPersonMayTryASetting() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .afterEach((workers, _) -> {
              if (workers.events().size() == 40) {
                workers.ask(new SessionEvent.UserRequest.Try(Jobs.setting(1)));
              }
            })
            .run();

    assertThat(run.decisions()).extracting(Decision::rule).contains("request.accepted");
    assertThat(run.effects(SessionEffect.RoundChanged.class))
        .extracting(round -> round.trigger().name())
        .contains("MANUAL");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void worksWhereAClockIsAWholePass() {
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 1e-5, 10, 0.01)));
    JobPlan plan =
        Jobs.plan("racing", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, 400);
    var workers =
        new SimulatedWorkers(
            Policies.open(plan), QuadraticModel.quiet(4), Jobs.TIME, "loss", 2, 64, 7);

    SimulatedWorkers run = workers.run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(best(run)).isLessThan(0.2);
  }

  /// Whatever the moment, between two entrants of a race too.
  @Test
  void endsWheneverItsTimeIsUp() {
    JobPlan plan = plan(0.01, 0);
    double whole = Jobs.workers(plan(0.01, 20), QuadraticModel.quiet(6)).run().seconds();
    for (int part = 1; part <= 200; part++) {
      double maxSeconds = whole * part / 200;

      SimulatedWorkers run =
          Jobs.workers(Jobs.with(plan, maxSeconds, Double.NaN), QuadraticModel.quiet(6)).run();

      assertThat(run.lastShown().state()).as("%s s", maxSeconds).isEqualTo(JobState.COMPLETED);
    }
  }
}
