package dev.espalier.tuner.core.policy.population;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.population.Planners;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.QuadraticModel;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class PopulationSessionTest {
  static List<String> policies() {
    return Planners.NAMES;
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aPopulationRunsToItsEndAndKeepsItsBest(String policy) {
    SimulatedWorkers run = workers(plan(policy)).run();

    assertThat(run.lastShown().state()).as(run.lastShown().message()).isEqualTo(JobState.COMPLETED);
    assertThat(run.lastShown().reason()).isEqualTo("population-done");
    assertThat(losses(run))
        .isSortedAccordingTo((a, b) -> Double.compare(b, a))
        .hasSizeGreaterThan(1);
    assertThat(keptCheckpoints(run)).hasSize(1);
    assertThat(run.commands().getLast()).isEqualTo(new BranchCommand.Stop());
    assertThat(run.lastShown().message())
        .contains("best loss " + Words.number(losses(run).getLast()));
    assertThat(stillAlive(run)).hasSizeLessThanOrEqualTo(1);
  }

  @ParameterizedTest
  @MethodSource("policies")
  void eachResultIsToldWithItsBranchAndTheBestSoFarAsTheMainlines(String policy) {
    SimulatedWorkers run = workers(plan(policy)).run();

    var told = new ArrayList<BranchId>();
    double best = Double.POSITIVE_INFINITY;
    for (SessionEffect effect : run.effects()) {
      if (effect instanceof SessionEffect.MainlineEvaluated made) {
        told.add(made.branch());
        assertThat(made.metrics().get("loss")).isLessThan(best);
        best = made.metrics().getOrDefault("loss", Double.NaN);
      } else if (effect instanceof SessionEffect.RunEvaluated made) {
        told.add(made.branch());
        assertThat(made.metrics().get("loss")).isGreaterThanOrEqualTo(best);
      }
    }
    assertThat(told)
        .isEqualTo(evaluated(run).stream().map(SessionEvent.Evaluated::branch).toList())
        .hasSizeGreaterThan(losses(run).size());
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aBranchSaysTheBestOfItsOwnResults(String policy) {
    SimulatedWorkers run = workers(plan(policy)).run();

    var best = new HashMap<BranchId, Double>();
    evaluated(run)
        .forEach(made -> best.merge(made.branch(), made.metrics().get("loss"), Math::min));
    var last = new HashMap<BranchId, SessionEffect.BranchChanged>();
    run.effects(SessionEffect.BranchChanged.class)
        .forEach(change -> last.put(change.branch(), change));
    assertThat(best).hasSizeGreaterThan(1);
    last.forEach((branch, change) ->
        assertThat(change.validation().map(SessionEffect.BestValidation::value))
            .isEqualTo(Optional.ofNullable(best.get(branch))));
    assertThat(last.values())
        .flatExtracting(change -> change.validation().stream().toList())
        .allMatch(made -> made.metric().equals("loss") && made.goal() == Goal.MINIMIZE)
        .allMatch(made -> made.epoch() > 0);
  }

  @ParameterizedTest
  @MethodSource("policies")
  void theSameEventsGiveTheSameEffects(String policy) {
    SimulatedWorkers run = workers(plan(policy)).run();
    var session = Policies.open(plan(policy));
    var again = new ArrayList<>(session.start());
    run.events().forEach(event -> again.addAll(session.step(event)));

    assertThat(again).isEqualTo(run.effects());
  }

  @ParameterizedTest
  @MethodSource("policies")
  void theResultIsTheSameWhereverWorkersAreLost(String policy) {
    SimulatedWorkers undisturbed = workers(plan(policy)).run();
    int count = undisturbed.events().size();

    for (int lostAfter = 2; lostAfter < count; lostAfter += Math.max(1, count / 15)) {
      var left = new int[] {lostAfter};
      SimulatedWorkers run =
          workers(plan(policy))
              .afterEach((workers, _) -> {
                if (--left[0] == 0) {
                  workers.lose();
                }
              })
              .run();

      assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
      assertThat(losses(run).getLast())
          .as("%s, lost after event %d of %d", policy, lostAfter, count)
          .isEqualTo(losses(undisturbed).getLast());
      assertThat(orders(run)).isEqualTo(orders(undisturbed));
    }
  }

  /// A run that catches up with its results is not evaluated on the way, but where it was the best
  /// it is saved; a run that is over by then leaves its place to the best before.
  @ParameterizedTest
  @MethodSource("policies")
  void aBestThatIsLostBeforeItIsSavedIsSavedOnTheWayBack(String policy) {
    int bests = losses(workers(plan(policy)).run()).size();
    assertThat(bests).isGreaterThan(1);
    int saved = 0;
    for (int lost = 1; lost <= bests; lost++) {
      int best = lost;
      var isLost = new AtomicBoolean();
      SimulatedWorkers run =
          workers(plan(policy))
              .afterEach((workers, event) -> {
                if (event instanceof SessionEvent.Evaluated
                    && losses(workers).size() == best
                    && isLost.compareAndSet(false, true)) {
                  workers.lose();
                }
              })
              .run();

      assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
      assertThat(run.isResultSaved()).as("%s, best %d lost", policy, best).isTrue();
      double result = run.effects(SessionEffect.ResultChanged.class).getLast().value();
      saved += result == losses(run).getLast() ? 1 : 0;
    }
    assertThat(saved).isGreaterThanOrEqualTo(bests - 1);
  }

  /// Runs stand at the same clocks, so what one said must not be taken for what another did: the
  /// first is the best but lost, the second is saved, and the third is on its way when all ends.
  @Test
  void whereNoBestIsSavedTheResultIsWhatTheSavedRunSaid() {
    SimulatedWorkers run =
        workers(plan("hyperband"))
            .failCheckpoints(number -> number == 1)
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Evaluated && evaluated(workers).size() == 3) {
                workers.ask(new SessionEvent.UserRequest.Kill());
              }
            })
            .run();

    List<SessionEvent.Evaluated> evaluated = evaluated(run);
    assertThat(evaluated)
        .extracting(
            result -> result.branch().number(), result -> result.metrics().get("loss") > 4.7)
        .containsExactly(tuple(1, false), tuple(2, true), tuple(3, true));
    assertThat(run.isResultSaved()).isTrue();
    assertThat(run.effects(SessionEffect.ResultChanged.class).getLast())
        .returns(new BranchId(2), SessionEffect.ResultChanged::branch)
        .returns(evaluated.get(1).metrics().get("loss"), SessionEffect.ResultChanged::value);
  }

  /// The runs of `asha` are no copies, so a branch that is made from a checkpoint holds the run of
  /// its parent.
  @Test
  void aRunSaysItsBestOnItsNextBranchToo() {
    int count = workers(plan("asha")).run().events().size();
    int restored = 0;
    for (int lostAfter = 2; lostAfter < count; lostAfter += 3) {
      var left = new int[] {lostAfter};
      SimulatedWorkers run =
          workers(plan("asha"))
              .afterEach((workers, _) -> {
                if (--left[0] == 0) {
                  workers.lose();
                }
              })
              .run();

      var known = new HashMap<BranchId, Optional<SessionEffect.BestValidation>>();
      Set<BranchId> made = new HashSet<>();
      run.commands().stream()
          .filter(BranchCommand.Restore.class::isInstance)
          .forEach(command -> made.add(((BranchCommand.Restore) command).branch()));
      for (SessionEffect.BranchChanged change : run.effects(SessionEffect.BranchChanged.class)) {
        if (change.state() == BranchState.WAITING) {
          continue;
        }
        if (made.contains(change.branch()) && !known.containsKey(change.branch())) {
          assertThat(change.validation())
              .isPresent()
              .isEqualTo(known.get(change.parent().orElseThrow()));
          restored++;
        }
        known.put(change.branch(), change.validation());
      }
    }
    assertThat(restored).isPositive();
  }

  private static List<SessionEvent.Evaluated> evaluated(SimulatedWorkers run) {
    return run.events().stream()
        .filter(SessionEvent.Evaluated.class::isInstance)
        .map(SessionEvent.Evaluated.class::cast)
        .toList();
  }

  @ParameterizedTest
  @MethodSource("policies")
  void timeEndsAPopulationWithItsBestSoFar(String policy) {
    SimulatedWorkers run = workers(Jobs.with(plan(policy), 1.3, Double.NaN)).run();

    assertThat(run.lastShown().reason()).isEqualTo("max-seconds");
    assertThat(run.lastShown().message()).contains("best loss ");
    assertThat(run.events().getLast().atSeconds()).isLessThan(2.0);
  }

  @Test
  void theTargetEndsAPopulationAtOnce() {
    SimulatedWorkers run = workers(Jobs.with(plan("hyperband"), 0, 0.5)).run();

    assertThat(run.lastShown().reason()).isEqualTo("target-reached");
    assertThat(losses(run).getLast()).isLessThanOrEqualTo(0.5);
  }

  @Test
  void everyRunIsAForkOfTheUntrainedRoot() {
    SimulatedWorkers run = workers(plan("random")).run();
    List<BranchCommand.Fork> forks =
        run.commands().stream()
            .filter(BranchCommand.Fork.class::isInstance)
            .map(BranchCommand.Fork.class::cast)
            .toList();

    assertThat(forks).hasSize(6).allMatch(fork -> fork.parent().equals(BranchId.ROOT));
    assertThat(run.commands())
        .noneMatch(command ->
            command instanceof BranchCommand.Schedule schedule
                && schedule.branch().equals(BranchId.ROOT));
  }

  @Test
  void theBestRunIsShownAsTheMainlineWithItsSchedule() {
    SimulatedWorkers run = workers(plan("random")).run();
    SessionEffect.BranchChanged mainline =
        run.effects(SessionEffect.BranchChanged.class).stream()
            .filter(changed ->
                changed.kind() == BranchKind.MAINLINE && changed.state() != BranchState.DISCARDED)
            .toList()
            .getLast();

    assertThat(run.effects(SessionEffect.ScheduleChanged.class).getLast())
        .returns(0L, SessionEffect.ScheduleChanged::mainlineClock)
        .returns(mainline.branch(), SessionEffect.ScheduleChanged::branch)
        .returns(mainline.setting(), SessionEffect.ScheduleChanged::setting);
    SessionEffect.TimeSpent spent = run.effects(SessionEffect.TimeSpent.class).getLast();
    assertThat(spent.trainingSeconds()).isCloseTo(mainline.seconds(), within(1e-9));
    assertThat(spent.tuningSeconds()).isGreaterThan(spent.trainingSeconds());
  }

  @Test
  void aCopyGoesOnFromTheStateOfItsSource() {
    SimulatedWorkers run = workers(plan("pbt")).run();
    Decision copy =
        run.decisions().stream()
            .filter(decision -> decision.rule().equals("pbt.exploit"))
            .findFirst()
            .orElseThrow();

    assertThat(copy.outcome()).containsPattern("goes on as a copy of run \\d+ on branch #\\d+$");
    assertThat((double) copy.evidence().get("fromEpoch")).isGreaterThan(0);
    assertThat(copy.evidence()).containsKeys("place", "replaced", "changes", "scores");
    assertThat(run.effects(SessionEffect.ScheduleChanged.class))
        .anyMatch(changed -> changed.mainlineClock() > 0);
  }

  @Test
  void aRunWhoseLossOverflowsEndsThere() {
    SimulatedWorkers run = workers(ofRates("grid", 1e-2, 10)).run();

    assertThat(run.decisions()).anyMatch(decision -> decision.rule().equals("run.diverged"));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void aPopulationAllOfWhichOverflowsHasFailed() {
    SimulatedWorkers run = workers(ofRates("random", 1e4, 1e5)).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.FAILED);
    assertThat(run.lastShown().reason()).isEqualTo("nothing-learns");
    assertThat(run.lastShown().message()).contains("there is no model: none of its ");
  }

  @Test
  void aPersonMayPauseAndCancelButNotAskForARound() {
    var asked = new HashSet<String>();
    SimulatedWorkers run =
        workers(plan("asha"))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Evaluated && asked.add("once")) {
                workers.ask(new SessionEvent.UserRequest.Retune());
                workers.ask(new SessionEvent.UserRequest.Pause());
                workers.ask(new SessionEvent.UserRequest.Resume());
                workers.ask(new SessionEvent.UserRequest.Cancel());
              }
            })
            .run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.CANCELED);
    assertThat(run.decisions().stream().filter(decision -> decision.key().startsWith("request")))
        .extracting(Decision::rule)
        .containsExactly(
            "request.ignored", "request.accepted", "request.accepted", "request.accepted");
    assertThat(keptCheckpoints(run)).hasSize(1);
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aSettingThatIsAskedForTakesTheNextRun(String policy) {
    SimulatedWorkers run =
        askedOnce(policy, _ -> new SessionEvent.UserRequest.Try(Jobs.setting(0.123)));

    assertThat(rules(run)).contains("request.accepted", "request.try");
    assertThat(run.commands())
        .filteredOn(BranchCommand.Fork.class::isInstance)
        .map(command -> ((BranchCommand.Fork) command).setting().value("learningRate"))
        .containsOnlyOnce(0.123);
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @ParameterizedTest
  @MethodSource("policies")
  void theRunThatAPersonChoosesAloneIsTrainedToItsEnd(String policy) {
    SimulatedWorkers run = askedOnce(policy, SessionEvent.UserRequest.Keep::new);

    assertThat(rules(run)).contains("request.accepted", "request.keep");
    long chosen =
        run.decisions().stream()
            .filter(made -> made.rule().equals("request.keep") && made.key().contains("/until-"))
            .map(made -> (Number) made.evidence().get("branch"))
            .findFirst()
            .orElseThrow()
            .longValue();
    List<BranchCommand> after = afterRequest(run);
    assertThat(after)
        .filteredOn(BranchCommand.Schedule.class::isInstance)
        .isNotEmpty()
        .allSatisfy(command ->
            assertThat(((BranchCommand.Schedule) command).branch().number())
                .isEqualTo((int) chosen));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  private static List<BranchCommand> afterRequest(SimulatedWorkers run) {
    List<SessionEffect> effects = run.effects();
    int from = 0;
    while (!(effects.get(from) instanceof SessionEffect.Decide made
        && made.decision().rule().equals("request.accepted"))) {
      from++;
    }
    return effects.subList(from, effects.size()).stream()
        .filter(SessionEffect.Command.class::isInstance)
        .map(effect -> ((SessionEffect.Command) effect).command())
        .toList();
  }

  @ParameterizedTest
  @MethodSource("policies")
  void aRunThatIsGivenUpIsNotTrainedOn(String policy) {
    var given = new AtomicReference<BranchId>();
    SimulatedWorkers run =
        askedOnce(
            policy,
            branch -> {
              given.set(branch);
              return new SessionEvent.UserRequest.Discard(branch);
            });

    assertThat(rules(run)).contains("request.accepted", "request.discard");
    assertThat(afterRequest(run))
        .filteredOn(BranchCommand.Schedule.class::isInstance)
        .noneMatch(command -> ((BranchCommand.Schedule) command).branch().equals(given.get()));
    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  @Test
  void theBestOfAPopulationIsNotGivenUpAndNothingGoesBack() {
    var asked = new HashSet<String>();
    SimulatedWorkers run =
        workers(plan("asha"))
            .afterEach((workers, event) -> {
              if (event instanceof SessionEvent.Evaluated evaluated && asked.add("once")) {
                workers.ask(new SessionEvent.UserRequest.Discard(evaluated.branch()));
              }
              if (event instanceof SessionEvent.CheckpointWritten && asked.add("back")) {
                workers.ask(new SessionEvent.UserRequest.Restore(1));
              }
            })
            .run();

    assertThat(run.decisions())
        .filteredOn(made -> made.rule().equals("request.ignored"))
        .extracting(Decision::outcome)
        .satisfiesExactlyInAnyOrder(
            words -> assertThat(words).contains("is the best so far, the job's result"),
            words -> assertThat(words).contains("has no mainline to go back with"));
  }

  /// Asks something once of a run that trains, when another is the best.
  private static SimulatedWorkers askedOnce(
      String policy, Function<BranchId, SessionEvent.UserRequest> wish) {
    var asked = new HashSet<String>();
    return workers(plan(policy))
        .afterEach((workers, event) -> {
          boolean isLater = workers.effects(SessionEffect.MainlineEvaluated.class).size() > 0;
          if (event instanceof SessionEvent.Progressed progress
              && isLater
              && progress.branch().number() > 2
              && asked.add("once")) {
            workers.ask(wish.apply(progress.branch()));
          }
        })
        .run();
  }

  private static List<String> rules(SimulatedWorkers run) {
    return run.decisions().stream().map(Decision::rule).toList();
  }

  @Test
  void aCheckpointThatFailsIsNoHindrance() {
    SimulatedWorkers run =
        workers(plan("hyperband")).failCheckpoints(number -> number % 2 == 0).run();

    assertThat(run.lastShown().state()).isEqualTo(JobState.COMPLETED);
  }

  private static JobPlan plan(String policy) {
    return Jobs.plan(policy, "random", Jobs.SPACE, Setting.EMPTY, List.of(), 3, Jobs.OPTIONS, 0);
  }

  private static JobPlan ofRates(String policy, double least, double most) {
    var rates =
        new SearchSpace(
            List.of(new Tunable.LogRange("learningRate", least, most, Math.sqrt(least * most))));
    Setting base = Setting.of(Map.of("momentum", 0.5, "batchSize", 32.0));
    return Jobs.plan(policy, "random", rates, base, List.of(), 1, Jobs.OPTIONS, 2);
  }

  private static SimulatedWorkers workers(JobPlan plan) {
    return Jobs.workers(plan, QuadraticModel.quiet(1));
  }

  private static List<Double> losses(SimulatedWorkers run) {
    return run.effects(SessionEffect.MainlineEvaluated.class).stream()
        .map(evaluated -> evaluated.metrics().get("loss"))
        .toList();
  }

  /// Orders about runs, without those that a loss of workers adds.
  @ParameterizedTest
  @MethodSource("policies")
  void decisionsOnARunNameItsBranch(String policy) {
    SimulatedWorkers run = workers(plan(policy)).run();

    assertThat(run.decisions())
        .filteredOn(decision -> decision.key().startsWith("run-"))
        .isNotEmpty()
        .allMatch(Jobs::namesItsBranch);
  }

  /// A run that is held again after its workers were lost is on another branch.
  private static List<String> orders(SimulatedWorkers run) {
    return run.decisions().stream()
        .filter(decision -> decision.key().contains("/until-"))
        .map(decision -> decision.rule() + ": " + decision.outcome())
        .map(words -> words.replaceAll(" on branch #\\d+", ""))
        .distinct()
        .toList();
  }

  private static Set<Long> keptCheckpoints(SimulatedWorkers run) {
    var kept = new TreeSet<Long>();
    for (BranchCommand command : run.commands()) {
      if (command instanceof BranchCommand.Checkpoint checkpoint) {
        kept.add(checkpoint.checkpoint());
      } else if (command instanceof BranchCommand.DropCheckpoint drop) {
        kept.remove(drop.checkpoint());
      }
    }
    return kept;
  }

  private static Set<BranchId> stillAlive(SimulatedWorkers run) {
    var alive = new HashSet<BranchId>();
    for (BranchCommand command : run.commands()) {
      switch (command) {
        case BranchCommand.Create create -> alive.add(create.branch());
        case BranchCommand.Fork fork -> alive.add(fork.branch());
        case BranchCommand.Free free -> alive.remove(free.branch());
        default -> {}
      }
    }
    return alive;
  }
}
