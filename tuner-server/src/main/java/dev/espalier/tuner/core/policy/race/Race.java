package dev.espalier.tuner.core.policy.race;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * A race, rung by rung:
 *
 *   fork the incumbent and its challengers from one snapshot
 *   repeat
 *     every entrant runs a lap of d seconds, at whose end its rate has fallen to zero; planned in
 *       clocks by what was known when the rung began, so that settings of one pace run equally many
 *     every entrant is probed: its loss on each block of the same samples
 *     the judge says who leaves
 *     d doubles
 *   until one is left, or the budget would be exceeded
 *   the winner's work is kept
 */

/// The incumbent and some challengers on branches from one snapshot, until one is shown to be best.
public final class Race {
  private static final int MAX_RUNGS = 4;

  /// The part of a rung that every entrant runs, how ever much it ran before.
  private static final double LEAST_OF_RUNG = 0.5;

  /// How many times as long as the rung before a rung is.
  public static final double RUNG_GROWTH = 2;

  /// {@return how many of the challengers that entered may go on after a rung}
  ///
  /// @param rung from 1
  public static int staying(int challengers, int rung) {
    return Judge.staying(challengers, rung);
  }

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
  /// @param probeSamples how many samples judge
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
  private final Plan plan;
  private final Branch parent;
  private final Field field;
  private final Judge judge;
  private final Allowance allowance;
  private final RaceDiary diary;
  private final List<Entrant> waiting = new ArrayList<>();
  private Pace rungPace;
  private double rungSeconds;

  /// What each entrant is to have run by the end of the rung.
  private double untilSeconds;

  private int rung;
  private boolean untried;
  private @Nullable Entrant current;
  private @Nullable Lap lap;
  private long evaluation;
  private Optional<Outcome> outcome = Optional.empty();
  private Optional<Chosen> chosen = Optional.empty();

  /// The entrant that a person wants to win.
  private record Chosen(Entrant entrant, String actor) {}

  public Race(Board board, Pace pace, TuningBudget budget, Plan plan, Branch parent) {
    this.board = board;
    this.pace = pace;
    this.plan = plan;
    this.parent = parent;
    this.rungPace = pace;
    this.rungSeconds = plan.trialSeconds();
    this.field = new Field();
    this.judge =
        new Judge(
            pace,
            board.plan().racing().confidence(),
            plan.horizonSeconds(),
            plan.challengers().size());
    this.allowance = new Allowance(board, pace, budget, plan, field);
    this.diary = new RaceDiary(board, plan, parent, field, judge);
  }

  /// {@return what it is about}
  public Plan plan() {
    return plan;
  }

  /// {@return the setting that the challengers race against}
  public Setting incumbent() {
    return parent.setting();
  }

  /// {@return how it ended; empty while it runs}
  public Optional<Outcome> outcome() {
    return outcome;
  }

  /// {@return what the entrant does differently that runs a lap; empty between laps, and while it
  /// is the incumbent}
  public Optional<Move> running() {
    return Optional.ofNullable(current).flatMap(Entrant::move);
  }

  /// {@return whether time was up before any challenger ran a clock, so that the race tells nothing
  /// of them}
  public boolean isUntried() {
    return untried;
  }

  /// Forks the entrants, and has the parent probed first.
  public void begin() {
    enter(Optional.empty());
    plan.challengers().forEach(move -> enter(Optional.of(move)));
    diary.start(rungSeconds);
    diary.tell("racing", rungSeconds, Optional.empty(), "");
    board.show(
        JobState.TUNING,
        "round-running",
        "Racing " + Words.count(plan.challengers().size(), "setting") + " in " + plan.label(),
        "clocks of the entrants");
    probe(parent);
  }

  private void enter(Optional<Move> move) {
    Setting setting = move.map(Move::setting).orElse(parent.setting());
    field.enter(board.fork(parent, BranchKind.TRIAL, plan.number(), setting), move);
  }

  private void probe(Branch branch) {
    evaluation = board.book().nextEvaluation();
    board.command(new BranchCommand.Probe(branch.id(), evaluation, plan.probeSamples()));
  }

  // Running.

  private void startRung() {
    rung++;
    rungPace = paceNow();
    untilSeconds += rungSeconds;
    waiting.addAll(field.left());
    runNext();
  }

  private Pace paceNow() {
    return pace.frozen(parent.setting(), board.workload());
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
    Optional<String> reason = allowance.reasonAgainstLap(next, this::lapSeconds);
    if (reason.isPresent()) {
      stopEarly(next, reason.get());
      return;
    }
    current = next;
    lap = lapOf(next);
    advance();
  }

  private Lap lapOf(Entrant entrant) {
    double cooldown = board.plan().racing().cooldown();
    Branch branch = entrant.branch();
    return new Lap(
        board, rungPace, branch, lapSeconds(entrant), 1, board.clocksLeft(branch), cooldown, 0);
  }

  private double lapSeconds(Entrant entrant) {
    return lapSeconds(entrant, rungPace, untilSeconds, rungSeconds);
  }

  /// Who ran too little or too much in the rungs before, because the machine was slower or faster
  /// than was thought, catches up, or waits for the others.
  private static double lapSeconds(
      Entrant entrant, Pace pace, double untilSeconds, double rungSeconds) {
    Branch branch = entrant.branch();
    double ran = pace.secondsPerClock(branch.setting()).orElse(0.0) * branch.clocks();
    return Math.max(untilSeconds - ran, LEAST_OF_RUNG * rungSeconds);
  }

  /// Entrants that did not run the whole rung cannot be compared with those that did, so the one
  /// before counts.
  private void stopEarly(Entrant next, String why) {
    List<Entrant> left = field.left();
    List<Entrant> ran = left.stream().filter(one -> one != next && !waiting.contains(one)).toList();
    waiting.clear();
    if (rung == 1) {
      untried =
          field.all().stream()
              .allMatch(entrant -> entrant.isIncumbent() || entrant.branch().clocks() == 0);
      end(field.incumbent(), Optional.empty(), why);
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
    diary.say(entrant, rung, "racing.diverged", "diverged: " + why, Evidence.of());
    board.free(entrant.branch(), BranchState.FAILED);
  }

  private void leave(Entrant entrant) {
    entrant.leave();
    waiting.remove(entrant);
    chosen = chosen.filter(choice -> !choice.entrant().equals(entrant));
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
    if (running.isOver()) {
      lapOver(running);
    }
  }

  private void lapOver(Lap over) {
    lap = null;
    pace.learn(over.branch());
    if (over.isWhole()) {
      probe(over.branch());
      return;
    }
    Entrant cut = requireNonNull(current);
    current = null;
    stopEarly(cut, "the job's time is up");
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
      judge.parentProbed(event.losses());
      startRung();
      return;
    }
    current = null;
    probed.probed(event);
    if (!probed.isOut()) {
      measured(probed);
    }
    runNext();
  }

  private void measured(Entrant probed) {
    if (Double.isFinite(probed.loss())) {
      board.changed(probed.branch(), BranchState.MEASURED);
    } else {
      fail(probed, "its loss on the samples that judge is " + probed.loss());
    }
  }

  // People ask.

  /// Ends the race with an entrant that a person chose, once what is under way has run.
  ///
  /// @return why it goes on; empty when it ends
  public Optional<String> keep(BranchId branch, String actor) {
    Optional<Entrant> found = field.on(branch);
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
    diary.say(choice.entrant(), rung, "request.keep", "is kept: " + why, Evidence.of());
    end(Optional.of(choice.entrant()), Optional.empty(), why);
  }

  /// Gives an entrant up because a person asked for it.
  ///
  /// @return why it stays; empty when it is given up
  public Optional<String> discard(BranchId branch, String actor) {
    Optional<Entrant> found = field.on(branch);
    if (found.isEmpty()) {
      return Optional.of(notInIt(branch));
    }
    Entrant entrant = found.get();
    if (entrant.isIncumbent()) {
      return Optional.of(
          "branch " + branch + " is the incumbent that the others are measured against");
    }
    leave(entrant);
    diary.say(
        entrant, rung, "request.discard", "is given up as " + actor + " asked", Evidence.of());
    board.free(entrant.branch(), BranchState.DISCARDED);
    if (lap != null && entrant.equals(current)) {
      lap = null;
      current = null;
      runNext();
    }
    return Optional.empty();
  }

  private String notInIt(BranchId branch) {
    return "branch " + branch + " is not an entrant of " + plan.label();
  }

  // Judging.

  private void judge() {
    List<Entrant> left = field.left();
    if (left.isEmpty()) {
      end(Optional.empty(), Optional.empty(), "all entrants diverged");
      return;
    }
    Entrant leader = Judge.leader(left);
    List<Map<String, Object>> table = diary.table(leader);
    judge.losers(left, rung).forEach(this::drop);
    diary.rung(rung, rungSeconds, leader, table);
    goOnOrSettle();
  }

  private void drop(Judge.Loser loser) {
    loser.entrant().leave();
    diary.lost(loser, rung);
    board.free(loser.entrant().branch(), BranchState.DISCARDED);
  }

  private void goOnOrSettle() {
    double nextSeconds = RUNG_GROWTH * rungSeconds;
    Optional<String> reason = reasonToSettle(nextSeconds);
    if (reason.isPresent()) {
      settle(reason.get());
    } else {
      rungSeconds = nextSeconds;
      startRung();
    }
  }

  private Optional<String> reasonToSettle(double nextSeconds) {
    if (field.left().size() == 1) {
      return Optional.of("all others were worse");
    }
    if (rung >= MAX_RUNGS) {
      return Optional.of("the race has run its " + MAX_RUNGS + " rungs");
    }
    Pace next = paceNow();
    return allowance.reasonAgainstRung(
        entrant -> lapSeconds(entrant, next, untilSeconds + nextSeconds, nextSeconds));
  }

  private void settle(String why) {
    Judge.Verdict verdict = judge.verdict(field.left());
    end(Optional.of(verdict.winner()), verdict.open(), why);
  }

  private void end(Optional<Entrant> winner, Optional<Move> open, String why) {
    List<Map<String, Object>> table = winner.map(diary::table).orElse(List.of());
    free(field.left().stream().filter(entrant -> winner.filter(entrant::equals).isEmpty()));
    var over = new Outcome(winner, open, why, chosen.isPresent());
    outcome = Optional.of(over);
    diary.result(over, rung, table);
    diary.tell("ended", rungSeconds, winner, RaceDiary.sentence(over));
  }

  private void free(Stream<Entrant> entrants) {
    entrants.forEach(entrant -> {
      entrant.leave();
      board.free(entrant.branch(), BranchState.DISCARDED);
    });
  }

  /// Ends without an outcome: its branches were lost with the workers.
  public void interrupted() {
    diary.tell("ended", rungSeconds, Optional.empty(), "Broken off: workers were lost");
  }

  /// Ends without an outcome: all entrants are freed.
  public void abandon(String why) {
    free(field.left().stream());
    diary.tell("ended", rungSeconds, Optional.empty(), why);
  }
}
