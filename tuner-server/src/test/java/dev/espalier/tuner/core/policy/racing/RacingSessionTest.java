package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.DeceptiveModel;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.OverfittingModel;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RacingSessionTest {
  private static final double ROUNDING = 1e-9;

  /// In passes over the data, at the smallest batch.
  private static final double ONE_CLOCK = 0.15;

  /// Of a sample, in what it costs to train on one.
  private static final double JUDGING_COST = 40;

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

  @Test
  void verdictsNameTheBranchOfTheirEntrant() {
    SimulatedWorkers run = Jobs.workers(plan(1e-3, 30), QuadraticModel.quiet(1)).run();

    assertThat(run.decisions())
        .filteredOn(decision -> decision.key().contains("/entrant-"))
        .isNotEmpty()
        .allMatch(Jobs::namesItsBranch);
  }

  /// 310 clocks of a rate of 0.001, where about 1 would be best, gain a tenth of the way.
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void aSmallJobRecoversFromADefaultThatIsFarTooSmall(long seed) {
    var space =
        new SearchSpace(
            List.of(
                new Tunable.LogRange("learningRate", 1e-5, 1, 1e-3),
                new Tunable.Choice("batchSize", List.of(8.0, 32.0, 128.0), 32)));
    JobPlan plan =
        Jobs.plan("racing", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, 10);
    var model = new QuadraticModel(1, 0.5, 0.2, 0.02, 0, seed);

    SimulatedWorkers run =
        new SimulatedWorkers(Policies.open(plan), model, Jobs.TIME, "loss", 2, 2000, 7).run();

    assertThat(best(run)).isLessThan(QuadraticModel.FLOOR + 0.01);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1, 2.5, 4, 7, 11, 13})
  void neitherLapsNorRacesGoBeyondTheEpochs(double maxEpochs) {
    SimulatedWorkers run = Jobs.workers(plan(0.01, maxEpochs), QuadraticModel.quiet(1)).run();

    assertThat(run.effects(SessionEffect.MainlineEvaluated.class).getLast().epoch())
        .isBetween(maxEpochs - ROUNDING, maxEpochs + ONE_CLOCK);
  }

  @Test
  void whatAnEarlierJobFoundRacesFirst() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan(1e-3, 20), prior(0.3)), QuadraticModel.quiet(1)).run();

    assertThat(ruled(run, "racing.prior"))
        .singleElement()
        .satisfies(decision -> {
          assertThat(decision.key()).isEqualTo("prior/job_1");
          assertThat(decision.outcome()).endsWith("learningRate 0.3: that races first");
        });
    assertThat(ruled(run, "racing.race").getFirst().evidence().get("challengers").toString())
        .startsWith("[{move=earlier job+, setting={batchSize=32.0, learningRate=0.3,");
    assertThat(ruled(run, "racing.adopt").getFirst().evidence().get("setting"))
        .isEqualTo(
            Setting.of(Map.of("batchSize", 32.0, "learningRate", 0.3, "momentum", 0.0)).values());
  }

  @Test
  void scheduleNamesTheWinnersSettingFromWhereTheRaceBegan() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan(1e-3, 20), prior(0.3)), QuadraticModel.quiet(1)).run();

    long adopted =
        run.effects(SessionEffect.ScheduleChanged.class).stream()
            .filter(change -> change.setting().value("learningRate") == 0.3)
            .findFirst()
            .orElseThrow()
            .mainlineClock();
    assertThat(run.effects(SessionEffect.ResultChanged.class).getLast().path())
        .filteredOn(step -> step.setting().value("learningRate") == 0.3)
        .first()
        .returns(adopted, JobPlan.ScheduleStep::fromClock);
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-5, 10})
  void aBadPriorCostsNoMoreThanItsRace(double rate) {
    JobPlan plan = plan(0.1, 20);
    double target = 0.11;

    SimulatedWorkers without = Jobs.workers(plan, QuadraticModel.quiet(1)).run();
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan, prior(rate)), QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(ruled(run, "racing.race"))
        .filteredOn(race -> race.evidence().get("challengers").toString().contains("earlier job"))
        .hasSize(1);
    // A neighbour's turn comes one race later.
    assertThat(secondsTo(target, run)).isLessThanOrEqualTo(1.25 * secondsTo(target, without));
  }

  private static List<Decision> ruled(SimulatedWorkers run, String rule) {
    return run.decisions().stream().filter(decision -> decision.rule().equals(rule)).toList();
  }

  private static Prior prior(double rate) {
    return new Prior(
        "job_1", Setting.of(Map.of("learningRate", rate)), "loss", 0.1, 5, true, List.of());
  }

  @Test
  void aBatchThatIsTooLargeForTheDataDoesNotRace() {
    var space =
        new SearchSpace(
            List.of(
                new Tunable.LogRange("learningRate", 1e-5, 10, 0.01),
                new Tunable.Choice("batchSize", List.of(8.0, 32.0, 1e6), 32)));
    JobPlan plan =
        Jobs.plan("racing", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, 20);

    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.effects(SessionEffect.BranchChanged.class))
        .isNotEmpty()
        .allSatisfy(branch -> assertThat(branch.setting().valueOr("batchSize", 0)).isLessThan(1e6));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-3, 0.01, 0.3, 10})
  void tuningNeverExceedsItsBudget(double rate) {
    SimulatedWorkers run = Jobs.workers(plan(rate, 20), QuadraticModel.quiet(3)).run();

    assertThat(timesOutsideRaces(run))
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

  /// While a race runs it is not known whose seconds are lost.
  private static List<SessionEffect.TimeSpent> timesOutsideRaces(SimulatedWorkers run) {
    var times = new ArrayList<SessionEffect.TimeSpent>();
    boolean isRacing = false;
    for (SessionEffect effect : run.effects()) {
      if (effect instanceof SessionEffect.RoundChanged changed) {
        isRacing = changed.phase().equals("racing");
      } else if (effect instanceof SessionEffect.TimeSpent spent && !isRacing) {
        times.add(spent);
      }
    }
    return times;
  }

  /// The probe of the first race's parent takes what a sample of training lets expect many times,
  /// so no challenger can run.
  @Test
  void aRaceThatItsJudgingBreaksOffBeforeAnyChallengerRanTeachesNothing() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 60), QuadraticModel.quiet(1)).judgingTakes(JUDGING_COST).run();

    List<Decision> races = ruled(run, "racing.race");
    assertThat(clocksOfChallengers(run, 1)).isZero();
    assertThat(clocksOfChallengers(run, 2)).isPositive();
    assertThat(challengers(races.get(1)).getFirst())
        .isEqualTo(challengers(races.get(0)).getFirst());
  }

  private static List<?> challengers(Decision race) {
    return (List<?>) race.evidence().get("challengers");
  }

  private static long clocksOfChallengers(SimulatedWorkers run, int race) {
    return run.effects(SessionEffect.BranchChanged.class).stream()
        .filter(branch -> branch.kind() == BranchKind.TRIAL && branch.round() == race)
        .filter(branch -> branch.setting().value("learningRate") != 0.01)
        .mapToLong(SessionEffect.BranchChanged::clocks)
        .max()
        .orElse(0);
  }

  @Test
  void isHardlySlowerWhereTheDefaultIsBestAlready() {
    // The fixed run is given the rate that is best for it, and so is the race's default. One seed
    // tells little: both are seen at their evaluations alone.
    double rate = 0.5;
    Setting best = Setting.of(Map.of("learningRate", rate, "momentum", 0.0, "batchSize", 32.0));
    double target = 1.005 * QuadraticModel.FLOOR;
    double fixedSeconds = 0;
    double racedSeconds = 0;
    for (int seed = 1; seed <= 12; seed++) {
      fixedSeconds +=
          secondsTo(target, Jobs.workers(Jobs.fixed(best, 20), QuadraticModel.quiet(seed)).run());
      racedSeconds +=
          secondsTo(target, Jobs.workers(plan(rate, 20), QuadraticModel.quiet(seed)).run());
    }

    assertThat(fixedSeconds).isFinite();
    assertThat(racedSeconds).isLessThan(1.1 * fixedSeconds);
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

  /// The best that a retreat and three new starts with ever calmer rates come to is 0.07 and above;
  /// where races find a calm rate in time the first run does not end. Where they had found a bolder
  /// one, and the default had come most of the way, the default comes first.
  @Test
  void jobsThatOverfitBeginAnewWithWhatHelpsAgainstIt() {
    double[][] jobs = {
      {0.005, 2, 15}, {0.01, 1, 20}, {0.01, 3, 20}, {0.02, 1, 20}, {0.02, 3, 8},
      {0.03, 0.5, 20}, {0.05, 0.3, 8}, {0.05, 1, 20}, {0.05, 3, 8}, {0.1, 1, 10}
    };
    int cured = 0;
    for (double[] job : jobs) {
      JobPlan plan = Jobs.with(plan(job[0], 0), 30, Double.NaN);

      SimulatedWorkers run = Jobs.workers(plan, new OverfittingModel(job[1], job[2])).run();

      cured += best(run) < 0.05 ? 1 : 0;
      assertThat(best(run)).isLessThan(0.08);
      assertThat(ruled(run, "racing.restart").stream().limit(1))
          .allSatisfy(restart ->
              assertThat(restart.outcome())
                  .containsPattern(
                      "begin anew with batchSize (8|32, learningRate " + job[0] + "),"));
      assertThat(timesOutsideRaces(run).getLast().tuningSeconds()).isLessThan(0.25 * 30);
    }
    assertThat(cured).isGreaterThanOrEqualTo(7);
  }

  @Test
  void aNewStartIsNeitherCooledNorRaced() {
    JobPlan plan = Jobs.with(plan(0.05, 0), 30, Double.NaN);

    SimulatedWorkers run = Jobs.workers(plan, new OverfittingModel(1, 8)).run();

    List<SessionEffect> anew =
        run.effects().stream()
            .dropWhile(effect -> !isRule(effect, "racing.restart"))
            .takeWhile(effect -> !isRule(effect, "racing.retreat"))
            .toList();
    assertThat(anew).noneMatch(effect -> isRule(effect, "racing.race"));
    assertThat(anew)
        .filteredOn(effect -> effect instanceof SessionEffect.Command(BranchCommand.Schedule _))
        .hasSizeGreaterThan(5)
        .allSatisfy(
            effect -> assertThat(effect).extracting("command.shape").isEqualTo(Shape.CONSTANT));
  }

  @Test
  void theEndNamesTheStartOfTheResult() {
    JobPlan plan = Jobs.with(plan(0.05, 0), 30, Double.NaN);

    SimulatedWorkers run = Jobs.workers(plan, new OverfittingModel(1, 8)).run();

    SessionEffect.ResultChanged result = run.effects(SessionEffect.ResultChanged.class).getLast();
    assertThat(run.decision("end").evidence())
        .containsEntry("resultStart", (long) result.start())
        .containsEntry("resultBranch", (long) result.branch().number())
        .containsEntry("resultClock", result.mainlineClock())
        .containsEntry("resultEpoch", result.epoch());
    assertThat(run.decision("end").outcome()).endsWith(" of start " + result.start());
    assertThat(run.lastShown().message()).contains(" of start " + result.start());
  }

  @Test
  void theEpochsOfAJobBoundAllItsStartsTogether() {
    SimulatedWorkers free =
        Jobs.workers(Jobs.with(plan(0.05, 0), 30, Double.NaN), new OverfittingModel(1, 8)).run();
    double most = 0.6 * passes(free);

    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan(0.05, most), 30, Double.NaN), new OverfittingModel(1, 8)).run();

    assertThat(run.decisions()).extracting(Decision::rule).contains("racing.restart");
    assertThat(passes(run)).isLessThanOrEqualTo(most + ONE_CLOCK);
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void everyBranchTellsItsStartAndWhatTheEarlierOnesTook() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan(0.05, 0), 30, Double.NaN), new OverfittingModel(1, 8)).run();

    var told = new ArrayList<TrainingStart>();
    var taken = new ArrayList<TrainingStart>(List.of(TrainingStart.FIRST));
    double epoch = 0;
    for (SessionEffect effect : run.effects()) {
      if (effect instanceof SessionEffect.BranchChanged branch
          && branch.state() == BranchState.WAITING) {
        told.add(branch.start());
      } else if (effect instanceof SessionEffect.MainlineEvaluated evaluated) {
        epoch = evaluated.epoch();
      } else if (isRule(effect, "racing.restart")) {
        TrainingStart left = taken.getLast();
        taken.add(new TrainingStart(left.number() + 1, left.earlierEpochs() + epoch));
      }
    }
    assertThat(told).hasSizeGreaterThan(1).isEqualTo(taken);
  }

  /// The newest checkpoint is then that of the start that was given up.
  @Test
  void aNewStartThatLosesItsWorkersBeginsOnceMore() {
    var isLost = new AtomicBoolean();
    JobPlan plan = Jobs.with(plan(0.05, 200), 30, Double.NaN);

    SimulatedWorkers run =
        Jobs.workers(plan, new OverfittingModel(1, 8))
            .afterEach((workers, _) -> {
              boolean hasBegunAnew = !ruled(workers, "racing.restart").isEmpty();
              if (hasBegunAnew && isLost.compareAndSet(false, true)) {
                workers.lose();
              }
            })
            .run();

    assertThat(isLost).isTrue();
    SessionEffect first =
        run.effects().stream()
            .dropWhile(effect -> !isRule(effect, "job.recovery"))
            .filter(effect ->
                effect instanceof SessionEffect.Command(BranchCommand command)
                    && (command instanceof BranchCommand.Create
                        || command instanceof BranchCommand.Restore))
            .findFirst()
            .orElseThrow();
    assertThat(first)
        .isInstanceOfSatisfying(
            SessionEffect.Command.class,
            command -> assertThat(command.command()).isInstanceOf(BranchCommand.Create.class));
    assertThat(best(run)).isLessThan(0.05);
  }

  /// Passes of all starts together, as far as they were evaluated.
  private static double passes(SimulatedWorkers run) {
    double all = 0;
    double last = 0;
    for (SessionEffect effect : run.effects()) {
      if (effect instanceof SessionEffect.MainlineEvaluated evaluated) {
        last = evaluated.epoch();
      } else if (isRule(effect, "racing.restart")) {
        all += last;
      }
    }
    return all + last;
  }

  private static boolean isRule(SessionEffect effect, String rule) {
    return effect instanceof SessionEffect.Decide(Decision decision)
        && decision.rule().equals(rule);
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

  /// What the winner ran counts as tuning then, and may take its share past the budget.
  @Test
  void anAdoptionThatTheValidationDataRefuteIsUndone() {
    double rate = 0.1;
    SimulatedWorkers run =
        Jobs.workers(plan(rate, 0, 32, 20), new DeceptiveModel(1.1 * rate, 0.01)).run();

    Decision guard = only(run, "racing.guard");
    Decision adopted = only(run, "racing.adopt");
    assertThat((double) guard.evidence().get("after"))
        .isGreaterThan((double) guard.evidence().get("before"));
    List<SessionEffect> effects = run.effects();
    int adoptedAt = indexOf(effects, "racing.adopt");
    int undoneAt = indexOf(effects, "racing.guard");
    BranchCommand.Fork race = fork(effects.subList(0, adoptedAt), BranchKind.TRIAL, true);
    BranchCommand.Fork undone =
        fork(effects.subList(undoneAt, effects.size()), BranchKind.MAINLINE, false);
    assertThat(undone.parent()).isEqualTo(race.parent());
    assertThat(undone.setting().value("learningRate")).isEqualTo(rate);
    assertThat(guard.evidence().get("goBackTo")).isEqualTo(undone.setting().values());

    SessionEffect.TimeSpent before = spent(effects.subList(0, undoneAt), true);
    SessionEffect.TimeSpent after = spent(effects.subList(undoneAt, effects.size()), false);
    double raced = after.tuningSeconds() - before.tuningSeconds();
    assertThat(raced).isGreaterThan(0);
    assertThat(before.trainingSeconds() - after.trainingSeconds())
        .isCloseTo(raced, within(ROUNDING));

    String waits = adopted.evidence().get("setting").toString();
    assertThat(ruled(run, "racing.race").stream().skip(1).findFirst())
        .hasValueSatisfying(next ->
            assertThat(next.evidence().get("challengers").toString()).doesNotContain(waits));
    assertThat(best(run)).isLessThan(0.9);
  }

  private static int indexOf(List<SessionEffect> effects, String rule) {
    return (int) effects.stream().takeWhile(effect -> !isRule(effect, rule)).count();
  }

  private static BranchCommand.Fork fork(
      List<SessionEffect> effects, BranchKind kind, boolean isLast) {
    List<BranchCommand.Fork> forks =
        effects.stream()
            .filter(SessionEffect.Command.class::isInstance)
            .map(effect -> ((SessionEffect.Command) effect).command())
            .filter(BranchCommand.Fork.class::isInstance)
            .map(BranchCommand.Fork.class::cast)
            .filter(fork -> fork.kind() == kind)
            .toList();
    return isLast ? forks.getLast() : forks.getFirst();
  }

  private static SessionEffect.TimeSpent spent(List<SessionEffect> effects, boolean isLast) {
    List<SessionEffect.TimeSpent> times =
        effects.stream()
            .filter(SessionEffect.TimeSpent.class::isInstance)
            .map(SessionEffect.TimeSpent.class::cast)
            .toList();
    return isLast ? times.getLast() : times.getFirst();
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

  /// `model export` takes the result's checkpoint.
  @Test
  void aBestWhoseCheckpointFailsMakesRoomForTheOneBefore() {
    int whole =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .run()
            .effects(SessionEffect.ResultChanged.class)
            .size();
    for (int good = 1; good < whole; good++) {
      int last = good;
      SimulatedWorkers run =
          Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
              .failCheckpoints(number -> number > last)
              .run();

      assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
      assertThat(run.isResultSaved()).as("%d good ones", last).isTrue();
      assertThat(run.lastShown().message()).contains("is the last good one");
    }
  }

  /// It overfits, so that its best is not its last, which workers hold to the end.
  @Test
  void aBestWhoseCheckpointFailedIsSavedAtTheEnd() {
    JobPlan plan = Jobs.with(plan(0.05, 0), 3, Double.NaN);
    var model = new OverfittingModel(1, 8);
    long last = lastWritten(Jobs.workers(plan, model).run());
    for (long failing = 1; failing < last; failing++) {
      long checkpoint = failing;
      SimulatedWorkers run =
          Jobs.workers(plan, model).failCheckpoints(number -> number == checkpoint).run();

      assertThat(run.isResultSaved()).isTrue();
      assertThat(run.effects(SessionEffect.ResultChanged.class).getLast().value())
          .as("checkpoint %d of %d failed", checkpoint, last)
          .isEqualTo(best(run));
    }
  }

  @Test
  void aBestThatIsLostBeforeItIsSavedMakesRoomForTheOneBefore() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .failCheckpoints(number -> number == 3)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Evaluated && isStopping(workers)) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(run.lastShown().message()).contains("before the last checkpoint was written");
    assertThat(run.isResultSaved()).isTrue();
    assertThat(run.effects(SessionEffect.SnapshotChanged.class).getLast().state())
        .isEqualTo(SnapshotState.FAILED);
  }

  private static boolean isStopping(SimulatedWorkers workers) {
    return workers.lastShown().state() == JobState.STOPPING;
  }

  private static boolean isRacing(SimulatedWorkers workers) {
    List<SessionEffect.RoundChanged> rounds = workers.effects(SessionEffect.RoundChanged.class);
    return !rounds.isEmpty() && rounds.getLast().phase().equals("racing");
  }

  @Test
  void aPersonMayTryASetting() {
    var asked = new AtomicBoolean();
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .afterEach((workers, _) -> {
              if (workers.events().size() > 40
                  && !isRacing(workers)
                  && asked.compareAndSet(false, true)) {
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
  void aSettingAskedForInARaceRacesNext() {
    SimulatedWorkers run = askedInARace(_ -> new SessionEvent.UserRequest.Try(Jobs.setting(1)));

    assertThat(run.decisions()).extracting(Decision::rule).contains("request.accepted");
    List<SessionEffect.RoundChanged> rounds = run.effects(SessionEffect.RoundChanged.class);
    SessionEffect.RoundChanged asked =
        rounds.stream()
            .filter(round -> round.trigger() == RoundTrigger.MANUAL)
            .findFirst()
            .orElseThrow();
    SessionEffect.RoundChanged before = rounds.get(rounds.indexOf(asked) - 1);
    assertThat(before.number()).isEqualTo(asked.number() - 1);
    assertThat(before.phase()).isEqualTo("ended");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void aPersonMayEndARaceWithAnEntrant() {
    SimulatedWorkers run = askedInARace(SessionEvent.UserRequest.Keep::new);

    Decision kept = only(run, "request.keep");
    assertThat(kept.outcome()).contains("chose it");
    SessionEffect.RoundChanged over =
        run.effects(SessionEffect.RoundChanged.class).stream()
            .filter(round -> round.number() == kept.round() && round.phase().equals("ended"))
            .findFirst()
            .orElseThrow();
    assertThat(kept.evidence())
        .containsEntry("branch", (long) over.winner().orElseThrow().number());
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(best(run)).isLessThan(0.11);
  }

  @Test
  void aPersonMayGiveAnEntrantUp() {
    SimulatedWorkers run = askedInARace(SessionEvent.UserRequest.Discard::new);

    Decision given = only(run, "request.discard");
    assertThat(run.decisions())
        .filteredOn(made -> made.round() == given.round() && made.rule().equals("racing.rung"))
        .isNotEmpty()
        .allSatisfy(rung ->
            assertThat(rung.evidence().get("entrants").toString())
                .doesNotContain("branch=" + given.evidence().get("branch") + ","));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void theIncumbentOfARaceIsNotGivenUp() {
    SimulatedWorkers run =
        askedOfRunning(branch -> new SessionEvent.UserRequest.Discard(branch), true);

    assertThat(run.decisions())
        .filteredOn(made -> made.rule().equals("request.ignored"))
        .singleElement()
        .satisfies(made -> assertThat(made.outcome()).contains("the incumbent that the others"));
  }

  /// Asks something of a challenger that runs, in the first race.
  private static SimulatedWorkers askedInARace(Function<BranchId, SessionEvent.UserRequest> wish) {
    return askedOfRunning(wish, false);
  }

  private static SimulatedWorkers askedOfRunning(
      Function<BranchId, SessionEvent.UserRequest> wish, boolean isIncumbent) {
    var asked = new AtomicBoolean();
    return Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
        .afterEach((workers, event) -> {
          if (event instanceof SessionEvent.Progressed progress
              && isOnTrial(workers, progress.branch(), isIncumbent)
              && asked.compareAndSet(false, true)) {
            workers.ask(wish.apply(progress.branch()));
          }
        })
        .run();
  }

  private static boolean isOnTrial(SimulatedWorkers workers, BranchId branch, boolean isIncumbent) {
    List<BranchId> trials =
        workers.commands().stream()
            .filter(BranchCommand.Fork.class::isInstance)
            .map(BranchCommand.Fork.class::cast)
            .filter(fork -> fork.kind() == BranchKind.TRIAL)
            .map(BranchCommand.Fork::branch)
            .toList();
    return trials.contains(branch) && trials.indexOf(branch) == 0 == isIncumbent;
  }

  /// The first lap has no length before its first clocks tell the pace.
  @Test
  void aWishBeforeTheFirstClockIsServed() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.WorkersReady) {
                workers.ask(new SessionEvent.UserRequest.Try(Jobs.setting(1)));
              }
            })
            .run();

    assertThat(run.decision("round-1/start").actor()).isEqualTo("token:test");
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  private static Decision only(SimulatedWorkers run, String rule) {
    return run.decisions().stream()
        .filter(made -> made.rule().equals(rule))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aPersonMayGoBackToASnapshot() {
    var asked = new AtomicLong();
    SimulatedWorkers run =
        Jobs.workers(plan(0.01, 10), QuadraticModel.quiet(2))
            .afterEach((workers, event) -> {
              if (workers.events().size() > 60
                  && !isRacing(workers)
                  && event instanceof SessionEvent.Progressed
                  && asked.compareAndSet(0, lastWritten(workers))) {
                workers.ask(new SessionEvent.UserRequest.Restore(asked.get()));
              }
            })
            .run();

    assertThat(run.decisions()).extracting(Decision::rule).contains("request.restore");
    assertThat(run.commands())
        .filteredOn(BranchCommand.Restore.class::isInstance)
        .map(BranchCommand.Restore.class::cast)
        .extracting(BranchCommand.Restore::checkpoint)
        .containsExactly(asked.get());
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(best(run)).isLessThan(0.11);
  }

  private static long lastWritten(SimulatedWorkers workers) {
    return workers.events().stream()
        .filter(SessionEvent.CheckpointWritten.class::isInstance)
        .mapToLong(event -> ((SessionEvent.CheckpointWritten) event).checkpoint())
        .max()
        .orElseThrow();
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

  @Test
  void ofEqualResultsTheOneWithTheLeastLossIsKept() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.1, 20), QuadraticModel.quiet(1)).roundResultsTo(0.5).run();

    List<SessionEffect.MainlineEvaluated> results =
        run.effects(SessionEffect.MainlineEvaluated.class);
    double best =
        results.stream().mapToDouble(result -> result.metrics().get("loss")).min().orElseThrow();
    List<Long> equals =
        results.stream()
            .filter(result -> result.metrics().get("loss") == best)
            .map(SessionEffect.MainlineEvaluated::mainlineClock)
            .toList();
    assertThat(equals).hasSizeGreaterThan(2);
    assertThat(run.effects(SessionEffect.ResultChanged.class).getLast().mainlineClock())
        .isIn(equals)
        .isGreaterThan(equals.getFirst());
  }

  @ParameterizedTest
  @CsvSource({"50, 0", "60, 1"})
  void sixtyClocksOfAWholePassEachAllowOneRaceAndFiftyNone(int clocks, int races) {
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 1e-5, 10, 0.01)));
    Setting base = Setting.EMPTY.with(Tunable.BATCH_SIZE, 8_000);
    JobPlan plan = Jobs.plan("racing", "random", space, base, List.of(), 1, Jobs.OPTIONS, clocks);

    SimulatedWorkers run =
        new SimulatedWorkers(
                Policies.open(plan), QuadraticModel.quiet(4), Jobs.TIME, "loss", 2, 16_000, 7)
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(ruled(run, "racing.race")).hasSize(races);
    assertThat(ruled(run, "racing.race"))
        .allSatisfy(
            race -> assertThat((long) race.evidence().get("mainlineClock")).isBetween(30L, 40L));
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 31})
  void trainsWithoutRacesWhereTooFewSamplesAreHeldOut(long heldOut) {
    SimulatedWorkers run =
        Jobs.workers(plan(0.1, 20), QuadraticModel.quiet(1)).holdOut(heldOut).run();

    assertThat(only(run, "racing.none").outcome())
        .contains(heldOut + " samples that nothing trains on");
    assertThat(ruled(run, "racing.race")).isEmpty();
    assertThat(best(run)).isLessThan(0.11);
  }

  @Test
  void aPersonHearsWhyThereIsNoRace() {
    var asked = new AtomicBoolean();
    SimulatedWorkers run =
        Jobs.workers(plan(0.1, 5), QuadraticModel.quiet(1))
            .holdOut(0)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Progressed && asked.compareAndSet(false, true)) {
                workers.ask(new SessionEvent.UserRequest.Retune());
              }
            })
            .run();

    assertThat(run.decisions())
        .extracting(Decision::outcome)
        .anySatisfy(outcome ->
            assertThat(outcome).contains("re-tune").contains("0 samples that nothing trains on"));
  }

  @Test
  void aPersonHearsThatThereIsNothingToRace() {
    // A rate moves by a seventh at least.
    var narrow = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 0.1, 0.11, 0.1)));
    SimulatedWorkers run = retuned(narrow);
    assertThat(run.decisions()).extracting(Decision::rule).contains("request.accepted");
    assertThat(only(run, "racing.none").outcome()).startsWith("No setting beside learningRate 0.1");

    run = retuned(new SearchSpace(List.of()));
    assertThat(only(run, "request.ignored").outcome())
        .isEqualTo("The request to re-tune is ignored: no tunable of the job is searched");
  }

  private static SimulatedWorkers retuned(SearchSpace space) {
    var asked = new AtomicBoolean();
    JobPlan plan =
        Jobs.plan("racing", "random", space, Jobs.setting(0.1), List.of(), 1, Jobs.OPTIONS, 5);
    return Jobs.workers(plan, QuadraticModel.quiet(1))
        .afterEach((workers, event) -> {
          if (event instanceof SessionEvent.Evaluated && asked.compareAndSet(false, true)) {
            workers.ask(new SessionEvent.UserRequest.Retune());
          }
        })
        .run();
  }

  /// A hundred clocks are an epoch. Workers alone go on for ten at most.
  @ParameterizedTest
  @ValueSource(doubles = {4, 25})
  void workersAloneStayWithinTheEpochsOfTheJob(double maxEpochs) {
    var rate = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 1e-5, 10, 0.1)));
    JobPlan plan =
        Jobs.plan("racing", "random", rate, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, maxEpochs);

    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    var forkClocks = new HashMap<BranchId, Long>();
    run.effects(SessionEffect.BranchChanged.class)
        .forEach(changed -> forkClocks.put(changed.branch(), changed.forkClock()));
    assertThat(run.commands())
        .filteredOn(BranchCommand.Schedule.class::isInstance)
        .map(BranchCommand.Schedule.class::cast)
        .allSatisfy(schedule ->
            assertThat(forkClocks.get(schedule.branch()) + schedule.aloneUntilClock())
                .isLessThanOrEqualTo(Math.round(100 * maxEpochs)))
        .anySatisfy(schedule ->
            assertThat(schedule.aloneUntilClock()).isGreaterThan(schedule.untilClock()));
  }

  /// A metric that cannot be computed judges nothing: not that training has converged either.
  @Test
  void trainsToItsBoundsWhereNoResultIsANumber() {
    SimulatedWorkers run = Jobs.workers(plan(0.1, 20), withResults(_ -> Double.NaN)).run();

    assertThat(only(run, "job.max-epochs")).isNotNull();
    assertThat(evaluations(run).getLast().epoch()).isBetween(20 - ROUNDING, 20 + ONE_CLOCK);
  }

  /// Of two results the range is the step from one to the other.
  @Test
  void aSecondResultThatIsWorseLeadsNowhereElse() {
    var results = new ArrayDeque<>(List.of(0.5, 0.52, 0.4));
    SimulatedWorkers run =
        Jobs.workers(
                plan(0.1, 20),
                withResults(_ -> results.size() > 1 ? results.removeFirst() : results.getFirst()))
            .run();

    assertThat(evaluations(run)).hasSizeGreaterThan(3);
    assertThat(ruled(run, "racing.retreat")).isEmpty();
    assertThat(ruled(run, "racing.restart")).isEmpty();
  }

  /// A model whose validation results are given.
  private static SimulatedWorkers.Model withResults(ToDoubleFunction<double[]> results) {
    SimulatedWorkers.Model model = QuadraticModel.quiet(1);
    return new SimulatedWorkers.Model() {
      @Override
      public double[] initial() {
        return model.initial();
      }

      @Override
      public double clock(double[] state, Setting setting) {
        return model.clock(state, setting);
      }

      @Override
      public double evaluate(double[] state) {
        return results.applyAsDouble(state);
      }

      @Override
      public double[] losses(double[] state, long samples) {
        return model.losses(state, samples);
      }
    };
  }

  @Test
  void aSettingThatCostsWorkersIsNotRacedAgainAtOnce() {
    SimulatedWorkers run =
        Jobs.workers(plan(0.1, 40), QuadraticModel.quiet(1))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Progressed progress
                  && isOnTrial(workers, progress.branch(), false)
                  && batch(workers, progress.branch()) > 32) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(ruled(run, "job.recovery")).hasSizeBetween(1, 3);
    assertThat(run.effects(SessionEffect.RoundChanged.class))
        .filteredOn(round -> round.outcome().equals("Broken off: workers were lost"))
        .hasSameSizeAs(ruled(run, "job.recovery"));
  }

  private static double batch(SimulatedWorkers workers, BranchId branch) {
    return workers.commands().stream()
        .filter(BranchCommand.Fork.class::isInstance)
        .map(BranchCommand.Fork.class::cast)
        .filter(fork -> fork.branch().equals(branch))
        .mapToDouble(fork -> fork.setting().valueOr("batchSize", 0))
        .findFirst()
        .orElse(0);
  }

  /// Of the first new start's setting, which is a smaller batch.
  @Test
  void aNewStartThatCostsWorkersTwiceMakesRoomForTheNext() {
    SimulatedWorkers run =
        Jobs.workers(Jobs.with(plan(0.05, 0), 30, Double.NaN), new OverfittingModel(1, 20))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Progressed progress
                  && isNewStart(workers, progress.branch())
                  && workers
                          .effects(SessionEffect.ScheduleChanged.class)
                          .getLast()
                          .setting()
                          .valueOr("batchSize", 0)
                      == 8) {
                workers.lose();
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
    assertThat(ruled(run, "job.recovery")).hasSize(2);
    assertThat(ruled(run, "racing.restart").get(1).outcome())
        .startsWith("Workers were lost 2 times with batchSize 8")
        .contains("go on with batchSize 32");
  }

  private static boolean isNewStart(SimulatedWorkers workers, BranchId branch) {
    return !ruled(workers, "racing.restart").isEmpty()
        && workers.commands().stream()
            .filter(BranchCommand.Create.class::isInstance)
            .map(BranchCommand.Create.class::cast)
            .anyMatch(create ->
                create.branch().number() <= branch.number() && create.branch().number() > 0);
  }

  @Test
  void failsAtOnceWhereNoSmallerRateIsLeftToTry() {
    var space = new SearchSpace(List.of(new Tunable.LogRange("learningRate", 50, 100, 50)));
    JobPlan plan =
        Jobs.plan("racing", "random", space, Setting.EMPTY, List.of(), 1, Jobs.OPTIONS, 20);

    SimulatedWorkers run = Jobs.workers(plan, QuadraticModel.quiet(1)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().message()).contains("there is no smaller learning rate to try");
    assertThat(ruled(run, "racing.rollback")).isEmpty();
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
