package dev.espalier.tuner.core.policy.mainline;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The policy `mltuner` on simulated loss curves.
final class TunerSessionTest {
  @Test
  void tuningBeatsABadDefault() {
    for (long seed = 1; seed <= 10; seed++) {
      SimulatedWorkers run =
          Jobs.workers(Jobs.tuned(seed, Jobs.OPTIONS, 3), QuadraticModel.quiet(seed)).run();
      SimulatedWorkers untuned =
          Jobs.workers(Jobs.fixed(Jobs.setting(0.01), 3), QuadraticModel.quiet(seed)).run();

      assertThat(run.lastShown().state()).as("seed %d", seed).isEqualTo(JobState.COMPLETED);
      assertThat(lastLoss(run)).as("seed %d", seed).isLessThan(lastLoss(untuned));
    }
  }

  @Test
  void theRoundBeginsWithAProbeThatLearnsNothing() {
    SimulatedWorkers run = initialRound(QuadraticModel.quiet(1));

    Setting first = Jobs.SPACE.defaults();
    assertThat(run.commands().subList(0, 4))
        .containsExactly(
            new BranchCommand.Create(BranchId.ROOT, first),
            new BranchCommand.Fork(
                new BranchId(1),
                BranchId.ROOT,
                BranchKind.EVALUATION,
                first.with("learningRate", 0).with("staleness", 0)),
            new BranchCommand.Schedule(new BranchId(1), 10, 10),
            new BranchCommand.Free(new BranchId(1)));
    assertThat(run.decision("round-1/starting-loss").evidence().get("startingLoss"))
        .asInstanceOf(org.assertj.core.api.InstanceOfAssertFactories.DOUBLE)
        .isBetween(4.7, 4.95);
  }

  @Test
  void theTrialTimeDoublesUntilALateDescentShows() {
    // Nothing is learned in the first 45 clocks of the parent's future.
    var late = new QuadraticModel(1, 0.05, 0.05, 0, 45, 3);
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 0.1, 0.5, 0.2)));
    JobPlan plan =
        Jobs.plan("mltuner", "random", space, Setting.EMPTY, List.of(), 3, Jobs.OPTIONS, 2);
    SimulatedWorkers run = Jobs.workers(plan, late).run();

    // Trial 1 runs 10, 20, 40, 80 clocks; each doubling adds one trial and extends all before it.
    assertThat(schedules(run, new BranchId(2))).startsWith(10L, 20L, 40L, 80L);
    assertThat(schedules(run, new BranchId(3)).subList(0, 4)).containsExactly(10L, 20L, 40L, 80L);
    assertThat(schedules(run, new BranchId(4)).subList(0, 3)).containsExactly(10L, 40L, 80L);
    assertThat(schedules(run, new BranchId(5)).subList(0, 2)).containsExactly(10L, 80L);
    assertThat(run.decision("round-1/trial-time").evidence())
        .containsEntry("loops", 4L)
        .containsEntry("trialSeconds", 80 * 0.0036);
  }

  @Test
  void verdictsNameTheBranchOfTheirTrial() {
    SimulatedWorkers run = initialRound(QuadraticModel.quiet(1));

    assertThat(run.decisions())
        .filteredOn(decision ->
            decision.key().contains("/trial-") && decision.evidence().containsKey("branch"))
        .isNotEmpty()
        .allMatch(Jobs::namesItsBranch);
    assertThat(run.decisions())
        .filteredOn(decision -> decision.outcome().contains("the best so far"))
        .isNotEmpty()
        .allMatch(
            decision -> decision.outcome().matches(".* faster than trial \\d+ on branch #\\d+,.*"));
  }

  @Test
  void theSearchStopsOnceTheFiveBestAreAlike() {
    // The only tunable has no effect, so all speeds are equal.
    var space = new SearchSpace(List.of(new Tunable.LinearRange("dummy", 0, 1, 0.5)));
    var base = Jobs.setting(0.2);
    JobPlan plan = Jobs.plan("mltuner", "random", space, base, List.of(), 1, Jobs.OPTIONS, 1);
    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(2)).run();

    Decision stop = run.decision("round-1/search-stop");
    assertThat(stop.outcome()).isEqualTo("The search stops: the 5 best speeds lie within 10%");
    assertThat(stop.evidence()).containsEntry("trials", 5L).containsEntry("spread", 0.0);
  }

  @Test
  void atMostParentBestAndCurrentAreAliveInTheSearch() {
    SimulatedWorkers run = initialRound(QuadraticModel.quiet(4));
    Set<BranchId> alive = new HashSet<>();
    boolean isSearching = false;
    for (SessionEffect effect : run.effects()) {
      if (effect instanceof SessionEffect.RoundChanged round) {
        isSearching = round.phase().equals("searching");
      }
      if (effect instanceof SessionEffect.Command(BranchCommand.Create create)) {
        alive.add(create.branch());
      } else if (effect instanceof SessionEffect.Command(BranchCommand.Fork fork)) {
        alive.add(fork.branch());
      } else if (effect instanceof SessionEffect.Command(BranchCommand.Free free)) {
        alive.remove(free.branch());
      }
      if (isSearching) {
        assertThat(alive).hasSizeLessThanOrEqualTo(3);
      }
    }
    assertThat(alive).as("only the mainline is left").hasSize(1);
  }

  @Test
  void theFastestTrialIsAdoptedAndItsWorkIsKept() {
    SimulatedWorkers run = initialRound(QuadraticModel.quiet(5));

    Decision adopt = run.decision("round-1/adopt");
    var scores = (List<?>) adopt.evidence().get("trials");
    double best =
        scores.stream()
            .mapToDouble(score -> (double) ((java.util.Map<?, ?>) score).get("speed"))
            .max()
            .orElseThrow();
    assertThat(adopt.evidence()).containsEntry("speed", best);
    var winner = new BranchId(Math.toIntExact((Long) adopt.evidence().get("branch")));
    assertThat(run.effects(SessionEffect.BranchChanged.class))
        .filteredOn(changed -> changed.branch().equals(winner))
        .extracting(SessionEffect.BranchChanged::kind, SessionEffect.BranchChanged::state)
        .containsSubsequence(
            org.assertj.core.groups.Tuple.tuple(BranchKind.TRIAL, BranchState.MEASURED),
            org.assertj.core.groups.Tuple.tuple(BranchKind.MAINLINE, BranchState.KEPT),
            org.assertj.core.groups.Tuple.tuple(BranchKind.MAINLINE, BranchState.RUNNING));
    assertThat(run.effects(SessionEffect.ScheduleChanged.class).getLast().mainlineClock())
        .as("the winner's setting counts from its fork")
        .isZero();
  }

  @Test
  void timesOfLosersAreTuningAndAllElseIsTraining() {
    SimulatedWorkers run = initialRound(QuadraticModel.quiet(6));
    double total =
        run.events().stream()
            .filter(dev.espalier.tuner.core.session.SessionEvent.Progressed.class::isInstance)
            .map(dev.espalier.tuner.core.session.SessionEvent.Progressed.class::cast)
            .flatMap(event -> event.seconds().stream())
            .mapToDouble(Double::doubleValue)
            .sum();
    var last = run.effects(SessionEffect.TimeSpent.class).getLast();
    var mainline =
        run.effects(SessionEffect.BranchChanged.class).stream()
            .filter(changed -> changed.kind() == BranchKind.MAINLINE)
            .toList()
            .getLast();

    assertThat(last.tuningSeconds() + last.trainingSeconds())
        .isCloseTo(total, org.assertj.core.api.Assertions.within(1e-9));
    assertThat(last.trainingSeconds())
        .isCloseTo(mainline.seconds(), org.assertj.core.api.Assertions.within(1e-9));
  }

  @Test
  void noisyLossesStillFindASettingThatLearns() {
    for (long seed = 1; seed <= 10; seed++) {
      var noisy = new QuadraticModel(1, 0.05, 2, 6, 0, seed);
      SimulatedWorkers run = Jobs.workers(Jobs.tuned(seed, Jobs.OPTIONS, 3), noisy).run();

      assertThat(run.lastShown().state()).as("seed %d", seed).isEqualTo(JobState.COMPLETED);
      assertThat(lastLoss(run)).as("seed %d", seed).isLessThan(4.8);
    }
  }

  @Test
  void aSpaceWhereEverythingDivergesFailsWithTheReason() {
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 5, 10, 7)));
    JobPlan plan =
        Jobs.plan("mltuner", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, 3);
    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message())
        .startsWith("None of the 12 settings tried makes the loss fall");
    assertThat(run.decisions())
        .filteredOn(decision -> decision.rule().equals("mltuner.diverged"))
        .hasSize(12);
  }

  @Test
  void aModelThatLearnsNothingFailsWithinTheCaps() {
    var dead = new QuadraticModel(1, 0.05, 0.2, 0, Long.MAX_VALUE, 1);
    SimulatedWorkers run = Jobs.workers(Jobs.tuned(1), dead).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().reason()).isEqualTo("nothing-learns");
    assertThat(run.effects(SessionEffect.BranchChanged.class))
        .allMatch(changed -> changed.clocks() <= 400, "no trial runs longer than an epoch");
  }

  @Test
  void anEpochWithFewerClocksThanWindowsIsStillJudged() {
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 0.01, 0.5, 0.1)));
    var base = Setting.of(java.util.Map.of("batchSize", 3200.0));
    JobPlan plan = Jobs.plan("mltuner", "random", space, base, List.of(), 1, Jobs.OPTIONS, 30);
    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.decision("round-1/adopt").outcome()).startsWith("Adopted branch");
  }

  @Test
  void aPlateauIsTunedAgainAndThenConverges() {
    for (long seed = 1; seed <= 10; seed++) {
      var noisy = new QuadraticModel(1, 0.02, 3, 0.05, 0, seed);
      SimulatedWorkers run = Jobs.workers(Jobs.tuned(seed), noisy).run();

      assertThat(run.lastShown().state()).as("seed %d", seed).isEqualTo(JobState.COMPLETED);
      assertThat(run.lastShown().reason()).as("seed %d", seed).isEqualTo("converged");
      assertThat(run.lastShown().message()).contains("; best loss ");
      assertThat(rounds(run)).as("seed %d", seed).contains(RoundTrigger.RETUNE);
      assertThat(trialsOfRounds(run))
          .as("seed %d: never more", seed)
          .isSortedAccordingTo(java.util.Comparator.reverseOrder());
    }
  }

  @Test
  void reTuningIsBoundedAndThenThePlateauConverges() {
    var options = new JobPlan.Options(10, true, 20, 10, 0, 12, 5, 0.1, 2, 3, 0);
    SimulatedWorkers run =
        Jobs.workers(Jobs.tuned(1, options, 0), new QuadraticModel(1, 0.02, 3, 0.05, 0, 1)).run();

    assertThat(rounds(run)).containsExactly(RoundTrigger.INITIAL);
    assertThat(run.lastShown().message())
        .startsWith("Converged: no new best in the last 3 evaluations");
  }

  @Test
  void theSecondsGivenEndARoundToo() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(Jobs.tuned(1), 0.3, Double.NaN), QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.lastShown().reason()).isEqualTo("max-seconds");
  }

  @Test
  void aJobWhoseSecondsWentIntoTrialsHasNotTrained() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(Jobs.tuned(1), 0.02, Double.NaN), QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message()).endsWith("nothing was trained");
  }

  @Test
  void nothingToSearchMeansTrainingAtOnce() {
    JobPlan plan =
        Jobs.plan(
            "mltuner",
            "tpe",
            new SearchSpace(List.of()),
            Jobs.setting(0.1),
            List.of(),
            1,
            Jobs.OPTIONS,
            2);
    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    assertThat(rounds(run)).isEmpty();
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void everySearcherRunsAJobToItsEnd() {
    for (String searcher : List.of("random", "sobol", "grid", "tpe", "gp")) {
      JobPlan plan =
          Jobs.plan(
              "mltuner",
              searcher,
              Jobs.SPACE,
              Setting.EMPTY,
              List.of(),
              5,
              new JobPlan.Options(10, true, 20, 10, 0, 30, 5, 0.01, 2, 3, 2),
              6);
      SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(5)).run();

      assertThat(run.lastShown().state()).as(searcher).isEqualTo(JobState.COMPLETED);
    }
  }

  private static SimulatedWorkers initialRound(QuadraticModel model) {
    return Jobs.workers(Jobs.tuned(1, Jobs.OPTIONS, 1), model).run();
  }

  private static double lastLoss(SimulatedWorkers run) {
    return run.effects(SessionEffect.MainlineEvaluated.class).getLast().metrics().get("loss");
  }

  private static List<Long> schedules(SimulatedWorkers run, BranchId branch) {
    return run.commands().stream()
        .filter(BranchCommand.Schedule.class::isInstance)
        .map(BranchCommand.Schedule.class::cast)
        .filter(schedule -> schedule.branch().equals(branch))
        .map(BranchCommand.Schedule::untilClock)
        .toList();
  }

  private static List<RoundTrigger> rounds(SimulatedWorkers run) {
    return ended(run).map(SessionEffect.RoundChanged::trigger).toList();
  }

  private static List<Integer> trialsOfRounds(SimulatedWorkers run) {
    return ended(run).map(SessionEffect.RoundChanged::trials).toList();
  }

  private static java.util.stream.Stream<SessionEffect.RoundChanged> ended(SimulatedWorkers run) {
    return run.effects(SessionEffect.RoundChanged.class).stream()
        .filter(round -> round.phase().equals("ended"));
  }
}
