package dev.espalier.tuner.core.policy.race;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/*
 * A race, rung by rung:
 *
 *   fork the incumbent and its challengers from one snapshot
 *   repeat
 *     every entrant runs a lap of d seconds, at whose end its rate has fallen to zero
 *     every entrant is probed: its loss on each block of the same held-out samples
 *     who is worse than the leader, and not by chance, leaves (a bolder rate only if its forecast
 *     is worse, too, or it does harm); so does who is not among the best third
 *     d doubles
 *   until one is left, or the budget would be exceeded
 *   the winner's work is kept; a challenger wins only if it beats the incumbent, and not by chance:
 *   a bolder one now or in the forecast, a calmer one in both
 *
 * All entrants start cool (the parent's rate had fallen to zero) and are compared cool, so a smaller
 * rate does not win by merely quieting noise: the short-horizon bias of Wu et al. 2018.
 */

/// The incumbent and some challengers on branches from one snapshot, until one is shown to be best.
public final class Race {
  private static final int SURVIVORS = 3;
  private static final int MAX_RUNGS = 4;
  private static final double BOLDER = 1.01;
  private static final double RUNG_GROWTH = 2;

  /// How a race ended.
  ///
  /// @param winner empty when all entrants diverged
  /// @param open the challenger that leads, but could not be shown to beat the incumbent in the
  ///   time there was
  /// @param isByHand whether a person chose it
  public record Outcome(
      Optional<Entrant> winner, Optional<Move> open, String why, boolean isByHand) {
    boolean isChange() {
      return winner.filter(entrant -> !entrant.isIncumbent()).isPresent();
    }
  }

  /// What a race is about.
  ///
  /// @param number of the round, from 1
  /// @param trialSeconds of the first rung
  /// @param horizonSeconds how far ahead losses are forecast, counted from the fork
  /// @param probeSamples how many held-out samples judge
  /// @param isBounded whether the tuning budget bounds it
  public record Plan(
      int number,
      RoundTrigger trigger,
      String label,
      List<Move> challengers,
      double trialSeconds,
      double horizonSeconds,
      long probeSamples,
      boolean isBounded,
      String actor) {}

  private final Board board;
  private final Pace pace;
  private final TuningBudget budget;
  private final RacingOptions options;
  private final Plan plan;
  private final Branch parent;
  private final List<Entrant> entrants = new ArrayList<>();
  private final List<Entrant> waiting = new ArrayList<>();

  /// Who was better, and not by chance, than the incumbent when that left.
  private final List<Entrant> beatIncumbent = new ArrayList<>();

  private List<Double> parentLosses = List.of();
  private double rungSeconds;
  private int rung;
  private @Nullable Entrant current;
  private @Nullable Lap lap;
  private long evaluation;
  private Optional<Outcome> outcome = Optional.empty();
  private Optional<Move> open = Optional.empty();
  private Optional<Chosen> chosen = Optional.empty();

  /// The entrant that a person wants to win.
  private record Chosen(Entrant entrant, String actor) {}

  public Race(Board board, Pace pace, TuningBudget budget, Plan plan, Branch parent) {
    this.board = board;
    this.pace = pace;
    this.budget = budget;
    this.options = board.plan().racing();
    this.plan = plan;
    this.parent = parent;
    this.rungSeconds = plan.trialSeconds();
  }

  /// {@return what it is about}
  public Plan plan() {
    return plan;
  }

  Branch parent() {
    return parent;
  }

  /// {@return how it ended; empty while it runs}
  public Optional<Outcome> outcome() {
    return outcome;
  }

  /// Forks the entrants, and has the parent probed first.
  public void begin() {
    enter(Optional.empty());
    plan.challengers().forEach(move -> enter(Optional.of(move)));
    board.decide(
        key("start"),
        "racing.race",
        "Start "
            + plan.label()
            + ": "
            + Words.count(plan.challengers().size(), "setting")
            + " against the incumbent, "
            + Words.number(rungSeconds)
            + " s each to begin with",
        plan.actor(),
        plan.number(),
        Evidence.of()
            .with("trigger", plan.trigger().name())
            .with("parent", parent.id().number())
            .with("mainlineClock", parent.mainlineClock())
            .with("epoch", parent.epochs())
            .with("incumbent", parent.setting())
            .with("challengers", plan.challengers().stream().map(Race::describe).toList())
            .with("trialSeconds", rungSeconds)
            .with("probeSamples", plan.probeSamples())
            .with("tuningSeconds", board.tuningSeconds())
            .with("spentSeconds", board.spentSeconds())
            .with("budget", options.budget()));
    tell("racing", Optional.empty(), "");
    board.show(
        JobState.TUNING,
        "round-running",
        "Racing " + Words.count(plan.challengers().size(), "setting") + " in " + plan.label(),
        "clocks of the entrants");
    evaluation = board.book().nextEvaluation();
    board.command(new BranchCommand.Probe(parent.id(), evaluation, plan.probeSamples()));
  }

  private static Map<String, Object> describe(Move move) {
    var text = new LinkedHashMap<String, Object>();
    text.put("move", move.key());
    text.put("setting", move.setting().values());
    return text;
  }

  private void enter(Optional<Move> move) {
    var setting = move.map(Move::setting).orElse(parent.setting());
    Branch branch = board.fork(parent, BranchKind.TRIAL, plan.number(), setting);
    entrants.add(new Entrant(entrants.size(), branch, move));
  }

  private List<Entrant> alive() {
    return entrants.stream().filter(entrant -> !entrant.isOut()).toList();
  }

  // Running.

  private void startRung() {
    rung++;
    waiting.addAll(alive());
    runNext();
  }

  private void runNext() {
    if (chosen.isPresent()) {
      return;
    }
    if (waiting.isEmpty()) {
      judge();
      return;
    }
    Entrant next = waiting.removeFirst();
    if (board.isTimeUp()) {
      // No clocks are sent any more, so a lap that has none yet would never end.
      stopEarly(next, "the job's time is up");
      return;
    }
    if (board.clocksLeft(next.branch()) == 0) {
      stopEarly(next, "the job's epochs are used up");
      return;
    }
    if (plan.isBounded()
        && !budget.allows(rungSeconds + probeSeconds(next), leastKept(Set.of(next)))) {
      stopEarly(next, "the tuning budget is used up");
      return;
    }
    current = next;
    lap =
        new Lap(
            board,
            pace,
            next.branch(),
            rungSeconds,
            1,
            board.clocksLeft(next.branch()),
            options.cooldown(),
            0);
    advance();
  }

  /// One entrant is kept in any case, and what it has run by then is training.
  ///
  /// @param runners who will have run another lap by then
  private double leastKept(Collection<Entrant> runners) {
    return alive().stream()
        .mapToDouble(
            entrant -> entrant.branch().seconds() + (runners.contains(entrant) ? rungSeconds : 0))
        .min()
        .orElse(0);
  }

  private double probeSeconds(Entrant entrant) {
    return pace.secondsOfProbe(plan.probeSamples(), entrant.branch().setting(), board.workload());
  }

  /// Entrants that did not run the whole rung cannot be compared with those that did, so the one
  /// before counts.
  private void stopEarly(Entrant next, String why) {
    List<Entrant> left = alive();
    List<Entrant> ran = left.stream().filter(one -> one != next && !waiting.contains(one)).toList();
    waiting.clear();
    if (rung == 1) {
      end(left.stream().filter(Entrant::isIncumbent).findFirst(), why);
      return;
    }
    ran.forEach(Entrant::rewind);
    rung--;
    settle(why);
  }

  /// Takes in a clock of some branch: an entrant whose loss overflows is out.
  public void clockReported(Branch branch, double loss) {
    Entrant running = current;
    if (running == null || !running.branch().equals(branch) || Double.isFinite(loss)) {
      return;
    }
    current = null;
    lap = null;
    fail(running, "its loss overflowed at clock " + branch.clocks());
    runNext();
  }

  private void fail(Entrant entrant, String why) {
    leave(entrant);
    say(entrant, "racing.diverged", "diverged: " + why, Evidence.of());
    board.free(entrant.branch(), BranchState.FAILED);
  }

  /// Does what is next in the lap under way; called after each clock and each other event.
  public void advance() {
    Lap running = lap;
    if (chosen.isPresent() && evaluation == 0) {
      endWithChosen(chosen.get());
      return;
    }
    if (running == null || evaluation != 0) {
      return;
    }
    if (!running.isOver()) {
      running.runOn();
    }
    if (!running.isOver()) {
      return;
    }
    lap = null;
    pace.learn(running.branch());
    if (!running.isWhole()) {
      Entrant cut = requireNonNull(current);
      current = null;
      stopEarly(cut, "the job's time is up");
      return;
    }
    evaluation = board.book().nextEvaluation();
    board.command(new BranchCommand.Probe(running.branch().id(), evaluation, plan.probeSamples()));
  }

  /// Takes in a probe of the parent or of an entrant.
  public void evaluated(SessionEvent.Evaluated event) {
    if (evaluation == 0 || event.evaluation() != evaluation) {
      return;
    }
    evaluation = 0;
    board.spendOnTuning(event.seconds());
    pace.learnProbe(event.seconds(), plan.probeSamples());
    Entrant probed = current;
    if (probed == null) {
      parentLosses = event.losses();
      startRung();
      return;
    }
    current = null;
    probed.probed(event.losses());
    if (probed.isOut()) {
      runNext();
      return;
    }
    if (Double.isFinite(probed.loss())) {
      board.changed(probed.branch(), BranchState.MEASURED);
    } else {
      fail(probed, "its loss on the held-out samples is " + probed.loss());
    }
    runNext();
  }

  // People ask.

  /// Ends the race with an entrant that a person chose, once what is under way has run.
  ///
  /// @return why it goes on; empty when it ends
  public Optional<String> keep(BranchId branch, String actor) {
    Optional<Entrant> found = entrant(branch);
    if (found.isEmpty()) {
      return Optional.of(notInIt(branch));
    }
    if (found.get().branch().clocks() == 0) {
      return Optional.of("branch " + branch + " has not run a clock yet");
    }
    chosen = Optional.of(new Chosen(found.get(), actor));
    return Optional.empty();
  }

  private void endWithChosen(Chosen choice) {
    Entrant running = current;
    if (running != null && !running.branch().isAtRest()) {
      return;
    }
    if (running != null) {
      pace.learn(running.branch());
    }
    current = null;
    lap = null;
    String why = choice.actor() + " chose it";
    say(choice.entrant(), "request.keep", "is kept: " + why, Evidence.of());
    end(Optional.of(choice.entrant()), why);
  }

  /// Gives an entrant up because a person asked for it.
  ///
  /// @return why it stays; empty when it is given up
  public Optional<String> discard(BranchId branch, String actor) {
    Optional<Entrant> found = entrant(branch);
    if (found.isEmpty()) {
      return Optional.of(notInIt(branch));
    }
    Entrant entrant = found.get();
    if (entrant.isIncumbent()) {
      return Optional.of(
          "branch " + branch + " is the incumbent that the others are measured against");
    }
    leave(entrant);
    say(entrant, "request.discard", "is given up as " + actor + " asked", Evidence.of());
    board.free(entrant.branch(), BranchState.DISCARDED);
    if (lap != null && entrant.equals(current)) {
      lap = null;
      current = null;
      runNext();
    }
    return Optional.empty();
  }

  private Optional<Entrant> entrant(BranchId branch) {
    return alive().stream().filter(entrant -> entrant.branch().id().equals(branch)).findFirst();
  }

  private String notInIt(BranchId branch) {
    return "branch " + branch + " is not an entrant of " + plan.label();
  }

  private void leave(Entrant entrant) {
    entrant.leave();
    waiting.remove(entrant);
    chosen = chosen.filter(choice -> !choice.entrant().equals(entrant));
  }

  // Judging.

  private PairedDifference between(Entrant one, Entrant other) {
    return PairedDifference.of(one.losses(), other.losses(), options.confidence());
  }

  private PairedDifference forecast(Entrant one, Entrant other) {
    return PairedDifference.of(
        one.forecast(plan.horizonSeconds()),
        other.forecast(plan.horizonSeconds()),
        options.confidence());
  }

  private static Entrant best(List<Entrant> among) {
    return among.stream().min(Comparator.comparingDouble(Entrant::loss)).orElseThrow();
  }

  private void judge() {
    List<Entrant> left = alive();
    if (left.isEmpty()) {
      end(Optional.empty(), "all entrants diverged");
      return;
    }
    Entrant leader = best(left);
    List<Map<String, Object>> table = table(left, leader);
    dropDominated(left, leader);
    dropBeyondBest();
    board.decide(
        key("rung-" + rung),
        "racing.rung",
        "After "
            + Words.number(ranSeconds())
            + " s each, "
            + leader.inWords()
            + " leads; "
            + Words.count(alive().size(), "entrant")
            + " of "
            + left.size()
            + " stay",
        "policy",
        plan.number(),
        Evidence.of()
            .with("rung", rung)
            .with("rungSeconds", rungSeconds)
            .with("confidence", options.confidence())
            .with("probeSamples", plan.probeSamples())
            .with("horizonSeconds", plan.horizonSeconds())
            .with("leader", leader.number())
            .with("parentLoss", mean(parentLosses))
            .with("entrants", table));
    goOnOrSettle();
  }

  private static double mean(List<Double> losses) {
    return losses.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }

  private double ranSeconds() {
    return alive().getFirst().branch().seconds();
  }

  private List<Map<String, Object>> table(List<Entrant> left, Entrant leader) {
    return left.stream().map(entrant -> row(entrant, leader)).toList();
  }

  private Map<String, Object> row(Entrant entrant, Entrant leader) {
    PairedDifference difference = between(entrant, leader);
    var row = new LinkedHashMap<String, Object>();
    row.put("entrant", (long) entrant.number());
    row.put("branch", (long) entrant.branch().id().number());
    row.put("move", entrant.move().map(Move::key).orElse("incumbent"));
    row.put("setting", entrant.branch().setting().values());
    row.put("clocks", entrant.branch().clocks());
    row.put("seconds", entrant.branch().seconds());
    row.put("loss", entrant.loss());
    row.put("aboveLeader", difference.mean());
    row.put("aboveLeaderLower", difference.lower());
    row.put("aboveLeaderUpper", difference.upper());
    row.put("pairs", (long) difference.pairs());
    PairedDifference ahead = forecast(entrant, leader);
    row.put("forecastAboveLeader", ahead.mean());
    row.put("forecastAboveLeaderLower", ahead.lower());
    row.put("forecastAboveLeaderUpper", ahead.upper());
    row.put("stepsPerSecond", entrant.stepsPerSecond());
    return row;
  }

  private void dropDominated(List<Entrant> left, Entrant leader) {
    for (Entrant entrant : left) {
      PairedDifference difference = between(entrant, leader);
      if (entrant != leader && difference.isWorse() && !mayComeBack(entrant, leader)) {
        if (entrant.isIncumbent()) {
          left.stream()
              .filter(other -> between(other, entrant).isBetter())
              .forEach(beatIncumbent::add);
        }
        drop(entrant, "racing.dominated", "is worse than " + leader.inWords(), difference);
      }
    }
  }

  /// A bolder rate gains later than a calmer one, so it is not out as long as it does no harm and,
  /// once it was seen twice, may catch up.
  private boolean mayComeBack(Entrant entrant, Entrant leader) {
    return isBolder(entrant, leader)
        && (rung == 1 || !forecast(entrant, leader).isWorse())
        && !PairedDifference.of(entrant.losses(), parentLosses, options.confidence()).isWorse();
  }

  /// A larger batch at the same rate makes fewer steps in the same time.
  private static boolean isBolder(Entrant one, Entrant other) {
    return one.stepsPerSecond() > BOLDER * other.stepsPerSecond();
  }

  /// Of the challengers the best third stays; the incumbent stays unless it is dominated.
  private void dropBeyondBest() {
    List<Entrant> challengers =
        alive().stream()
            .filter(entrant -> !entrant.isIncumbent())
            .sorted(Comparator.comparingDouble(Entrant::loss))
            .toList();
    int stay = Math.max(1, Math.ceilDiv(plan.challengers().size(), pow(SURVIVORS, rung)));
    for (Entrant entrant :
        challengers.subList(Math.min(stay, challengers.size()), challengers.size())) {
      drop(
          entrant,
          "racing.halving",
          "is not among the best " + stay,
          between(entrant, challengers.getFirst()));
    }
  }

  private static int pow(int base, int exponent) {
    int power = 1;
    for (int i = 0; i < exponent; i++) {
      power *= base;
    }
    return power;
  }

  private void drop(Entrant entrant, String rule, String why, PairedDifference difference) {
    entrant.leave();
    say(
        entrant,
        rule,
        why,
        Evidence.of()
            .with("loss", entrant.loss())
            .with("difference", difference.mean())
            .with("lower", difference.lower())
            .with("upper", difference.upper())
            .with("pairs", difference.pairs())
            .with("confidence", options.confidence()));
    board.free(entrant.branch(), BranchState.DISCARDED);
  }

  private void goOnOrSettle() {
    List<Entrant> left = alive();
    if (left.size() == 1) {
      settle("all others were worse");
      return;
    }
    double nextSeconds = RUNG_GROWTH * rungSeconds;
    double cost = left.stream().mapToDouble(entrant -> nextSeconds + probeSeconds(entrant)).sum();
    double kept = leastKept(List.of()) + nextSeconds;
    if (rung >= MAX_RUNGS) {
      settle("the race has run its " + MAX_RUNGS + " rungs");
    } else if (plan.isBounded() && !budget.allows(cost, kept)) {
      settle("another rung would exceed the tuning budget");
    } else if (board.isTimeUp()) {
      settle("the time is up");
    } else if (left.stream().anyMatch(entrant -> !fits(entrant, nextSeconds))) {
      settle("another rung would go beyond the job's epochs");
    } else {
      rungSeconds = nextSeconds;
      startRung();
    }
  }

  private boolean fits(Entrant entrant, double seconds) {
    double perClock = pace.secondsPerClock(entrant.branch().setting()).orElse(0.0);
    return seconds <= board.clocksLeft(entrant.branch()) * perClock;
  }

  /// Of those left the best wins: where the incumbent has left, of those that beat it; against an
  /// incumbent that is still there only if it is not chance.
  private void settle(String why) {
    List<Entrant> left = alive();
    Optional<Entrant> incumbent = left.stream().filter(Entrant::isIncumbent).findFirst();
    // Where all that beat it have left since, those that are there are better than them.
    List<Entrant> shown = left.stream().filter(beatIncumbent::contains).toList();
    Entrant best =
        (shown.isEmpty() ? left : shown)
            .stream()
                .min(
                    Comparator.comparingDouble(
                        entrant -> mean(entrant.forecast(plan.horizonSeconds()))))
                .orElseThrow();
    boolean isShown =
        incumbent.filter(entrant -> entrant != best && !isShownToBeat(best, entrant)).isEmpty();
    open = isShown ? Optional.empty() : best.move();
    end(Optional.of(isShown ? best : incumbent.orElse(best)), why);
  }

  /// The job's next lap and all after it are longer than a race, so the lines through what was
  /// probed are carried on, too. A bolder rate pays at once for what it gains later: it wins if it
  /// is better now or then. A calmer rate must be better now and then, and be seen twice.
  private boolean isShownToBeat(Entrant best, Entrant incumbent) {
    boolean isBetterNow = between(best, incumbent).isBetter();
    boolean isBetterLater = forecast(best, incumbent).isBetter();
    return isBolder(incumbent, best)
        ? rung > 1 && isBetterNow && isBetterLater
        : isBetterNow || (isBolder(best, incumbent) && isBetterLater);
  }

  private void end(Optional<Entrant> winner, String why) {
    List<Map<String, Object>> table =
        winner.map(entrant -> table(alive(), entrant)).orElse(List.of());
    for (Entrant entrant : alive()) {
      if (winner.filter(entrant::equals).isEmpty()) {
        entrant.leave();
        board.free(entrant.branch(), BranchState.DISCARDED);
      }
    }
    var over = new Outcome(winner, open, why, chosen.isPresent());
    outcome = Optional.of(over);
    String sentence = sentence(winner, why);
    board.decide(
        key("result"),
        over.isChange() ? "racing.adopt" : "racing.keep",
        sentence,
        "policy",
        plan.number(),
        Evidence.of()
            .with("winner", winner.map(Entrant::number).orElse(-1))
            .with("setting", winner.map(Entrant::branch).orElse(parent).setting())
            .with("rungs", rung)
            .with("horizonSeconds", plan.horizonSeconds())
            .with("confidence", options.confidence())
            .with("entrants", table)
            .with("tuningSeconds", board.tuningSeconds())
            .with("spentSeconds", board.spentSeconds()));
    tell("ended", winner, sentence);
  }

  private static String sentence(Optional<Entrant> winner, String why) {
    return winner
        .map(entrant ->
            entrant.isIncumbent()
                ? "Kept " + Words.setting(entrant.branch().setting()) + ": " + why
                : "Adopted branch "
                    + entrant.branch().id()
                    + " ("
                    + Words.setting(entrant.branch().setting())
                    + "): "
                    + why)
        .orElse("No entrant is left: " + why);
  }

  private void say(Entrant entrant, String rule, String what, Evidence evidence) {
    board.decide(
        key("entrant-" + entrant.number()),
        rule,
        "Entrant "
            + entrant.number()
            + " ("
            + Words.setting(entrant.branch().setting())
            + ") "
            + what,
        "policy",
        plan.number(),
        evidence
            .with("branch", entrant.branch().id().number())
            .with("setting", entrant.branch().setting())
            .with("clocks", entrant.branch().clocks())
            .with("seconds", entrant.branch().seconds())
            .with("rung", rung));
  }

  private void tell(String phase, Optional<Entrant> winner, String text) {
    board.emit(
        new SessionEffect.RoundChanged(
            plan.number(),
            plan.trigger(),
            phase,
            parent.id(),
            entrants.size(),
            entrants.size(),
            rungSeconds,
            winner.map(entrant -> entrant.branch().id()),
            text));
  }

  private String key(String decision) {
    return "round-" + plan.number() + "/" + decision;
  }

  /// {@return what the entrant does differently that runs a lap; empty between laps, and while it
  /// is the incumbent}
  public Optional<Move> running() {
    return Optional.ofNullable(current).flatMap(Entrant::move);
  }

  /// Ends without an outcome: its branches were lost with the workers.
  public void interrupted() {
    tell("ended", Optional.empty(), "Broken off: workers were lost");
  }

  /// Ends without an outcome: all entrants are freed.
  public void abandon(String why) {
    for (Entrant entrant : alive()) {
      entrant.leave();
      board.free(entrant.branch(), BranchState.DISCARDED);
    }
    tell("ended", Optional.empty(), why);
  }
}
