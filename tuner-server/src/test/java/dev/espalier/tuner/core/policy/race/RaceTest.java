package dev.espalier.tuner.core.policy.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Races whose losses are given: for each rate one mean per rung, the same on all blocks but for a
/// little noise.
class RaceTest {
  private static final double INCUMBENT = 0.1;
  private static final double BOLD = 0.4;
  private static final double LEAP = 1.6;
  private static final double CALM = 0.025;
  private static final double PARENT_LOSS = 1;
  private static final double CLOCK_SECONDS = 0.01;
  private static final double TRIAL_SECONDS = 0.1;

  /// Of training before the race, so that a quarter of all pays for one rung of two entrants: 0.1 s
  /// is lost with the first rung, 0.3 s with the second, 0.7 s with the third.
  private static final double ONE_RUNG = 0.4;

  private static final double TWO_RUNGS = 1;
  private static final double FOUR_RUNGS = 10;
  private static final double PROBE_SECONDS = 0.001;
  private static final double TIME_LIMIT = 1000;
  private static final int BLOCKS = 20;
  private static final double NOISE = 0.002;
  private static final double NOISY = 0.16;

  private final Map<Double, List<Double>> losses = new HashMap<>();
  private final Map<Double, Double> scores = new HashMap<>();
  private final Map<BranchId, Integer> probes = new HashMap<>();
  private final List<Decision> decisions = new ArrayList<>();
  private final List<SessionEffect.BranchChanged> changes = new ArrayList<>();
  private Map<String, Double> measured = Map.of();
  private double trainedSeconds = TWO_RUNGS;
  private int breakOffAfter = Integer.MAX_VALUE;
  private int longestTrace;
  private double scatter;
  private double noisy = Double.NaN;
  private boolean isReturn;
  private double clockSeconds = CLOCK_SECONDS;
  private double slower = 1;
  private double parentProbeSeconds = PROBE_SECONDS;
  private boolean isUntried;
  private boolean isDiscarded;

  private void losses(double rate, double... rungs) {
    losses.put(rate, IntStream.range(0, rungs.length).mapToObj(i -> rungs[i]).toList());
  }

  private static Setting setting(double rate) {
    return Setting.of(Map.of("learningRate", rate, "momentum", 0.0, "batchSize", 32.0));
  }

  private Move move(double rate) {
    Move.Kind kind =
        rate == LEAP
            ? Move.Kind.LEAP
            : isReturn && rate == CALM ? Move.Kind.RETURN : Move.Kind.STEP;
    return new Move("learningRate", rate > INCUMBENT, setting(rate), kind);
  }

  private Race.Outcome race(double... challengers) {
    var board = new Board(Jobs.with(Jobs.tuned(1), TIME_LIMIT, Double.NaN));
    board.workersAre(new Workload(1, Jobs.SAMPLES, 32, 16L * BLOCKS));
    Branch parent = board.createFirst(setting(INCUMBENT));
    long clocks = Math.round(trainedSeconds / CLOCK_SECONDS);
    board.schedule(parent, clocks);
    run(board, parent, clocks);
    var pace = new Pace();
    pace.learn(parent);
    board.takeEffects();
    List<Move> moves =
        IntStream.range(0, challengers.length).mapToObj(i -> move(challengers[i])).toList();
    var race =
        new Race(
            board,
            pace,
            new TuningBudget(board, 0.25),
            new Race.Plan(
                1,
                RoundTrigger.INITIAL,
                "race 1",
                moves,
                TRIAL_SECONDS,
                10,
                16L * BLOCKS,
                true,
                "policy"),
            parent);
    race.begin();
    Deque<SessionEffect> effects = new ArrayDeque<>(board.takeEffects());
    if (isDiscarded) {
      effects.stream()
          .filter(SessionEffect.BranchChanged.class::isInstance)
          .map(SessionEffect.BranchChanged.class::cast)
          .filter(change -> change.setting().equals(setting(challengers[0])))
          .map(SessionEffect.BranchChanged::branch)
          .distinct()
          .forEach(branch -> assertThat(race.discard(branch, "somebody")).isEmpty());
    }
    while (race.outcome().isEmpty()) {
      carryOut(effects.removeFirst(), board, race);
      effects.addAll(board.takeEffects());
    }
    effects.forEach(this::note);
    isUntried = race.isUntried();
    return race.outcome().orElseThrow();
  }

  private void run(Board board, Branch branch, long untilClock) {
    while (branch.clocks() < untilClock) {
      board.count(branch, clockSeconds, PARENT_LOSS);
    }
  }

  private void note(SessionEffect effect) {
    if (effect instanceof SessionEffect.Decide(Decision decision)) {
      decisions.add(decision);
    }
    if (effect instanceof SessionEffect.BranchChanged change) {
      changes.add(change);
    }
  }

  private void carryOut(SessionEffect effect, Board board, Race race) {
    note(effect);
    if (effect instanceof SessionEffect.Command(BranchCommand.Schedule schedule)) {
      Branch branch = board.branch(schedule.branch()).orElseThrow();
      // Other things run beside it, more and more.
      clockSeconds *= slower;
      run(board, branch, schedule.untilClock());
      race.advance();
    } else if (effect instanceof SessionEffect.Command(BranchCommand.Probe probe)) {
      Branch branch = board.branch(probe.branch()).orElseThrow();
      longestTrace = Math.max(longestTrace, branch.trace().size());
      if (probes.values().stream().mapToInt(Integer::intValue).sum() == breakOffAfter) {
        board.moveTo(TIME_LIMIT);
      }
      race.evaluated(
          new SessionEvent.Evaluated(
              0,
              probe.evaluation(),
              probe.branch(),
              measured,
              branch.kind() == BranchKind.MAINLINE ? parentProbeSeconds : PROBE_SECONDS,
              blocks(branch),
              scores(branch)));
    }
  }

  private List<Double> blocks(Branch branch) {
    int probe = probes.merge(branch.id(), 1, Integer::sum);
    double rate = branch.setting().valueOr("learningRate", 0);
    double mean =
        branch.kind() == BranchKind.MAINLINE ? PARENT_LOSS : losses.get(rate).get(probe - 1);
    return IntStream.range(0, BLOCKS)
        .mapToObj(block ->
            mean
                + NOISE * Math.sin(block * (1 + 10 * rate))
                + scatter * Math.sin(block * (probe + 10 * rate))
                + (rate == noisy ? NOISY * ((block + probe) % 2 - 0.5) : 0))
        .toList();
  }

  /// Block by block as far from each other as it takes to tell them apart.
  private List<Double> scores(Branch branch) {
    double score = scores.getOrDefault(branch.setting().valueOr("learningRate", 0), 0.0);
    return scores.isEmpty()
        ? List.of()
        : IntStream.range(0, BLOCKS).mapToObj(block -> score + NOISE * (block % 2)).toList();
  }

  private static double winner(Race.Outcome outcome) {
    return outcome.winner().orElseThrow().branch().setting().valueOr("learningRate", 0);
  }

  private List<String> rules() {
    return decisions.stream().map(Decision::rule).toList();
  }

  @Test
  void whoIsWorseByTheMetricThatCountsDoesNotWinByItsLoss() {
    losses(INCUMBENT, 0.98, 0.97, 0.96, 0.95);
    losses(BOLD, 0.9, 0.8, 0.7, 0.6);
    scores.put(INCUMBENT, -0.82);
    scores.put(BOLD, -0.8);

    Race.Outcome outcome = race(BOLD);

    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
    assertThat(outcome.open()).isEqualTo(Optional.of(move(BOLD)));
    assertThat(decisions.getLast().evidence().get("entrants").toString())
        .contains("metricAboveLeader=0.0199");
  }

  /// Clocks of each lap take a quarter longer than those before: by that the last would run least.
  @Test
  void entrantsOfOnePaceRunEquallyManyClocksWhateverElseTheMachineDoes() {
    slower = 1.25;
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.9, 0.8, 0.7, 0.6);
    losses(BOLD, 0.9, 0.8, 0.7, 0.6);
    losses(CALM, 0.9, 0.8, 0.7, 0.6);

    race(BOLD, CALM);

    List<Decision> rungs =
        decisions.stream().filter(decision -> decision.rule().equals("racing.rung")).toList();
    assertThat(rungs).hasSizeGreaterThan(1);
    assertThat(rungs).allSatisfy(rung -> assertThat(clocks(rung).distinct()).hasSize(1));
    assertThat(rungs.getFirst().outcome()).matches("After 0\\.[0-9]+ to 0\\.[0-9]+ s, .*");
  }

  private static Stream<Object> clocks(Decision rung) {
    return ((List<?>) rung.evidence().get("entrants"))
        .stream().map(row -> ((Map<?, ?>) row).get("clocks"));
  }

  @Test
  void whatStandsForALossIsNamed() {
    losses(INCUMBENT, -0.8);
    losses(BOLD, -0.9);
    measured = Map.of("accuracy", 0.85);

    race(BOLD);

    assertThat(changes.stream().filter(change -> change.heldOutLoss() < 0))
        .hasSizeGreaterThan(1)
        .allMatch(change -> change.heldOutMetric().equals(Optional.of("accuracy")));
  }

  @Test
  void whoIsAsGoodByTheMetricThatCountsWinsByItsLoss() {
    losses(INCUMBENT, 0.98);
    losses(BOLD, 0.9);
    scores.put(INCUMBENT, -0.82);
    scores.put(BOLD, -0.82);

    assertThat(winner(race(BOLD))).isEqualTo(BOLD);
  }

  /// Clocks of a race may be many millions.
  @Test
  void noClockOfAnEntrantIsKept() {
    losses(INCUMBENT, 0.9, 0.8, 0.7);
    losses(BOLD, 0.9, 0.8, 0.7);
    race(BOLD);

    assertThat(longestTrace).isZero();
  }

  @Test
  void aBolderRateThatIsBetterNowWinsAtOnce() {
    losses(INCUMBENT, 0.98);
    losses(BOLD, 0.9);

    Race.Outcome outcome = race(BOLD);

    assertThat(winner(outcome)).isEqualTo(BOLD);
    assertThat(outcome.isChange()).isTrue();
    assertThat(rules()).contains("racing.dominated", "racing.adopt");
  }

  @Test
  void aLeapThatLeadsOnceHasNotWon() {
    losses(INCUMBENT, 0.98, 0.8);
    losses(LEAP, 0.9, 0.85);

    assertThat(winner(race(LEAP))).isEqualTo(INCUMBENT);
  }

  @Test
  void aLeapThatLeadsTwiceWins() {
    losses(INCUMBENT, 0.98, 0.95);
    losses(LEAP, 0.9, 0.85);

    Race.Outcome outcome = race(LEAP);

    assertThat(winner(outcome)).isEqualTo(LEAP);
    assertThat(outcome.why()).isEqualTo("all others were worse");
  }

  /// In one rung the leap leads, and the step beside it is shown to beat the incumbent.
  @Test
  void aStepThatBeatTheIncumbentWinsWhereTheLeapBesideItLedOnce() {
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.98);
    losses(BOLD, 0.95, 0.8, 0.7, 0.6);
    losses(LEAP, 0.9, 0.85, 0.82, 0.81);

    assertThat(winner(race(BOLD, LEAP))).isEqualTo(BOLD);
  }

  @Test
  void aLeapThatLeadsTheStepBesideItTwiceWins() {
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.98);
    losses(BOLD, 0.95, 0.9);
    losses(LEAP, 0.9, 0.8);

    assertThat(winner(race(BOLD, LEAP))).isEqualTo(LEAP);
  }

  @Test
  void aLeapThatLedOnceLeavesTheStepWhereNothingPaysForAnotherRung() {
    trainedSeconds = 0.7;
    losses(INCUMBENT, 0.98);
    losses(BOLD, 0.95);
    losses(LEAP, 0.9);

    Race.Outcome outcome = race(BOLD, LEAP);

    assertThat(outcome.why()).isEqualTo("another rung would exceed the tuning budget");
    assertThat(winner(outcome)).isEqualTo(BOLD);
  }

  @Test
  void aRaceTellsWhetherAnyChallengerRan() {
    losses(INCUMBENT, 0.9, 0.8, 0.7, 0.6);
    losses(BOLD, 0.9, 0.8, 0.7, 0.6);
    race(BOLD);
    assertThat(isUntried).isFalse();

    probes.clear();
    parentProbeSeconds = 1;
    Race.Outcome outcome = race(BOLD);
    assertThat(outcome.why()).isEqualTo("the tuning budget is used up");
    assertThat(isUntried).isTrue();
  }

  @Test
  void whatAPersonDiscardedBeforeItRanIsNotUntried() {
    losses(INCUMBENT, 0.9, 0.8, 0.7, 0.6);
    losses(BOLD, 0.9, 0.8, 0.7, 0.6);
    isDiscarded = true;

    assertThat(winner(race(BOLD))).isEqualTo(INCUMBENT);
    assertThat(isUntried).isFalse();
  }

  @Test
  void aBolderRateThatIsWorseNowWinsIfItsForecastIsBetter() {
    losses(INCUMBENT, 0.9, 0.89);
    losses(BOLD, 0.95, 0.9);

    assertThat(winner(race(BOLD))).isEqualTo(BOLD);
  }

  @Test
  void aBolderRateThatDoesHarmIsOut() {
    losses(INCUMBENT, 0.9);
    losses(BOLD, 1.1);

    assertThat(winner(race(BOLD))).isEqualTo(INCUMBENT);
    assertThat(rules()).contains("racing.dominated", "racing.keep");
  }

  @Test
  void aCalmerRateThatABolderOneReplacedWinsIfItLeadsTwiceByChanceOrNot() {
    losses(INCUMBENT, 0.9005, 0.8905);
    losses(CALM, 0.9, 0.89);
    scatter = 0.02;

    assertThat(winner(race(CALM))).isEqualTo(INCUMBENT);

    probes.clear();
    isReturn = true;
    assertThat(winner(race(CALM))).isEqualTo(CALM);
  }

  @Test
  void whoIsShownToBeatTheIncumbentGoesBeforeTheRateThatItReplaced() {
    losses(INCUMBENT, 0.91, 0.89);
    losses(CALM, 0.905, 0.885);
    losses(BOLD, 0.9, 0.85);
    isReturn = true;

    assertThat(winner(race(CALM, BOLD))).isEqualTo(BOLD);
  }

  @Test
  void aCalmerRateThatABolderOneReplacedDoesNotWinByLeadingOnce() {
    losses(INCUMBENT, 0.91, 0.88);
    losses(CALM, 0.9, 0.89);
    scatter = 0.02;
    isReturn = true;

    assertThat(winner(race(CALM))).isEqualTo(INCUMBENT);
  }

  @Test
  void aCalmerRateThatLeadsOnceHasNotWon() {
    losses(INCUMBENT, 0.95, 0.8);
    losses(CALM, 0.9, 0.85);

    Race.Outcome outcome = race(CALM);

    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
  }

  @Test
  void aCalmerRateThatLeadsNowButFallsBehindInTheForecastDoesNotWin() {
    losses(INCUMBENT, 0.95, 0.88);
    losses(CALM, 0.9, 0.87);

    assertThat(winner(race(CALM))).isEqualTo(INCUMBENT);
  }

  @Test
  void aCalmerRateThatLeadsTwiceAndInTheForecastWins() {
    losses(INCUMBENT, 0.95, 0.94);
    losses(CALM, 0.9, 0.85);

    assertThat(winner(race(CALM))).isEqualTo(CALM);
  }

  /// The forecast is all for it, but what was better before it may be so again.
  @Test
  void aCalmerRateThatWasWorseBeforeDoesNotWin() {
    losses(INCUMBENT, 0.9, 0.9);
    losses(CALM, 0.9002, 0.85);

    Race.Outcome outcome = race(CALM);

    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
    assertThat(outcome.open()).contains(move(CALM));
  }

  /// What two rungs say is not taken back by a forecast that they spoil by their scatter.
  @Test
  void aCalmerRateThatLeadsTwiceWinsThoughTheForecastMayBeChance() {
    losses(INCUMBENT, 0.95, 0.94);
    losses(CALM, 0.93, 0.922);
    scatter = 0.02;

    assertThat(winner(race(CALM))).isEqualTo(CALM);
  }

  @Test
  void theIncumbentStaysWhereACalmerRateWouldHaveLeftItBehindByChance() {
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.9, 0.9, 0.8, 0.7);
    losses(CALM, 0.9002, 0.85, 0.85, 0.85);

    assertThat(winner(race(CALM))).isEqualTo(INCUMBENT);
  }

  @Test
  void whoLeadsByChanceWhenTheBudgetIsUsedUpIsOpen() {
    losses(INCUMBENT, 0.9, 0.9);
    losses(BOLD, 0.8999, 0.8999);

    Race.Outcome outcome = race(BOLD);

    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
    assertThat(outcome.open()).contains(move(BOLD));
    assertThat(outcome.why()).contains("budget");
  }

  @Test
  void theBudgetBoundsTheRungsButNotWhatIsKept() {
    trainedSeconds = ONE_RUNG;
    losses(INCUMBENT, 0.9);
    losses(BOLD, 0.9);

    Race.Outcome outcome = race(BOLD);

    assertThat(outcome.why()).isEqualTo("another rung would exceed the tuning budget");
    assertThat(outcome.winner().orElseThrow().branch().seconds())
        .isCloseTo(TRIAL_SECONDS, within(1e-9));
  }

  /// The incumbent alone ran its second lap: the challenger, which did not, cannot be better.
  @Test
  void aRungThatWasBrokenOffDoesNotCount() {
    losses(INCUMBENT, 0.9, 1.3);
    losses(CALM, 0.89);
    breakOffAfter = 3;

    Race.Outcome outcome = race(CALM);

    assertThat(outcome.why()).isEqualTo("the job's time is up");
    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
    assertThat(outcome.winner().orElseThrow().loss()).isCloseTo(0.9, within(1e-3));
  }

  @Test
  void aWinnerHasBeatenTheIncumbentThatLeft() {
    losses(INCUMBENT, 0.95);
    losses(BOLD, 0.9, 0.89, 0.88, 0.87);
    losses(0.2, 0.9495, 0.8, 0.7, 0.6);
    trainedSeconds = FOUR_RUNGS;

    assertThat(winner(race(BOLD, 0.2))).isEqualTo(BOLD);
  }

  @Test
  void whoIsShownToBeatTheIncumbentWinsThoughAnotherMayGoFurther() {
    trainedSeconds = 1.5;
    noisy = BOLD;
    losses(INCUMBENT, 0.88);
    losses(0.2, 0.87);
    losses(BOLD, 0.8695);
    losses(0.15, 0.95);
    losses(0.3, 0.95);

    Race.Outcome outcome = race(0.2, BOLD, 0.15, 0.3);

    assertThat(outcome.why()).contains("budget");
    assertThat(winner(outcome)).isEqualTo(0.2);
  }

  @Test
  void aRaceWhoseEntrantsStayLevelEndsAfterFourRungs() {
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.9, 0.9, 0.9, 0.9);
    losses(BOLD, 0.9, 0.9, 0.9, 0.9);

    Race.Outcome outcome = race(BOLD);

    assertThat(outcome.why()).isEqualTo("the race has run its 4 rungs");
    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
  }

  @Test
  void ofManyChallengersTheBestThirdStays() {
    trainedSeconds = FOUR_RUNGS;
    losses(INCUMBENT, 0.9, 0.9, 0.9, 0.9);
    losses(BOLD, 0.9, 0.9, 0.9, 0.9);
    losses(0.2, 0.9001, 0.9, 0.9, 0.9);
    losses(0.3, 0.9002, 0.9, 0.9, 0.9);

    race(BOLD, 0.2, 0.3);

    assertThat(rules()).filteredOn("racing.halving"::equals).hasSize(2);
  }

  @Test
  void anEntrantWhoseHeldOutLossOverflowsLeaves() {
    losses(INCUMBENT, 0.9);
    losses(BOLD, Double.NaN);

    Race.Outcome outcome = race(BOLD);

    assertThat(winner(outcome)).isEqualTo(INCUMBENT);
    assertThat(outcome.open()).isEqualTo(Optional.empty());
    assertThat(rules()).contains("racing.diverged");
  }
}
