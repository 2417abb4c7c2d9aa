package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.search.Searchers;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;
import java.util.Optional;

/// The rounds of a job: the one that is wanted, the one that runs, and what the finished ones
/// leave.
///
/// Each round has a searcher of its own, seeded by the job's seed and the round's number. A
/// re-tuning round may try at most as many settings as the round before it (MLtuner, section 4.4).
public final class Rounds {
  /// A round that will start as soon as the mainline is at rest and saved.
  ///
  /// @param mainlineClock where the mainline stood when the policy wanted it
  private record Wanted(
      RoundTrigger trigger, List<Setting> settings, String actor, long mainlineClock) {}

  private static final String POLICY = "policy";

  private final Board board;
  private Optional<Wanted> wanted = Optional.empty();
  private Optional<Round> running = Optional.empty();
  private Optional<Interrupted> interrupted = Optional.empty();
  private Optional<Setting> adopted = Optional.empty();
  private int started;
  private int retunes;
  private int manuals;
  private int maxTrials;

  /// A round whose workers were lost.
  private record Interrupted(RoundPlan plan, Wanted wanted, long mainlineClock) {}

  public Rounds(Board board) {
    this.board = board;
    this.maxTrials = board.plan().options().maxTrials();
  }

  /// {@return re-tuning rounds so far, the running one included}
  public int retunes() {
    return retunes;
  }

  /// {@return whether a round is to start}
  public boolean isWanted() {
    return wanted.isPresent();
  }

  /// {@return how the running round ended; empty while it runs, and without one}
  public Optional<Round.Outcome> outcome() {
    return running.flatMap(Round::outcome);
  }

  /// {@return the setting that the latest round adopted; empty before one did}
  public Optional<Setting> adopted() {
    return adopted;
  }

  /// Wants a re-tuning round.
  ///
  /// @param mainlineClock where the policy wanted it: a mainline that is put back comes there again
  public void wantRetuneAt(long mainlineClock) {
    want(new Wanted(RoundTrigger.RETUNE, List.of(), POLICY, mainlineClock));
  }

  /// Wants a round that a person asked for.
  public void wantManual(String actor) {
    want(new Wanted(RoundTrigger.MANUAL, List.of(), actor, 0));
  }

  /// Wants a race of the current setting against another.
  public void wantTry(Setting current, Setting asked, String actor) {
    want(new Wanted(RoundTrigger.MANUAL, List.of(current, current.with(asked)), actor, 0));
  }

  private void want(Wanted next) {
    wanted = Optional.of(next);
  }

  /// {@return the round that is to start, such as "re-tune 3"}
  public String wantedInWords() {
    return wanted.map(this::label).orElse("nothing");
  }

  /// Starts the round that a job begins with.
  public void startInitial(Branch parent) {
    start(new Wanted(RoundTrigger.INITIAL, List.of(), POLICY, 0), parent);
  }

  /// Starts the round that is wanted.
  ///
  /// @param parent a mainline that is at rest and saved
  public void startWanted(Branch parent) {
    Wanted next = wanted.orElseThrow();
    wanted = Optional.empty();
    start(next, parent);
  }

  private void start(Wanted next, Branch parent) {
    String label = label(next);
    switch (next.trigger()) {
      case INITIAL -> {}
      case RETUNE -> retunes++;
      case MANUAL -> manuals++;
    }
    started++;
    boolean isSearch = next.settings().isEmpty();
    var plan =
        new RoundPlan(
            started,
            1,
            next.trigger(),
            label,
            isSearch ? maxTrials : next.settings().size(),
            isSearch,
            next.actor());
    run(plan, next, parent);
  }

  private void run(RoundPlan plan, Wanted what, Branch parent) {
    interrupted = Optional.of(new Interrupted(plan, what, parent.mainlineClock()));
    var round = new Round(board, plan, parent, searcher(plan, what));
    running = Optional.of(round);
    round.begin();
  }

  private String label(Wanted what) {
    return switch (what.trigger()) {
      case INITIAL -> "the initial round";
      case RETUNE -> "re-tune " + (retunes + 1);
      case MANUAL -> "manual round " + (manuals + 1);
    };
  }

  private Searcher searcher(RoundPlan plan, Wanted what) {
    if (!plan.isSearch()) {
      return Searchers.ofList(what.settings());
    }
    JobPlan job = board.plan();
    return Searchers.of(
        job.searcher(),
        job.space(),
        Searchers.seedOf(job.seed(), plan.number()),
        SearchSpace.GRID_POINTS);
  }

  /// Takes in a clock of some branch.
  public void clockReported(Branch branch) {
    running.ifPresent(round -> round.clockReported(branch));
  }

  /// Takes the round that has an outcome off the table.
  public Round finish() {
    Round round = running.orElseThrow();
    if (round.plan().isSearch()) {
      maxTrials = Math.max(1, round.trials());
    }
    round
        .outcome()
        .flatMap(Round.Outcome::winner)
        .ifPresent(winner -> adopted = Optional.of(winner.setting()));
    running = Optional.empty();
    interrupted = Optional.empty();
    return round;
  }

  /// Gives a trial of the running round up, or says why not.
  public Optional<String> discard(BranchId branch, String actor) {
    return running
        .map(round -> round.discard(branch, actor))
        .orElse(Optional.of("no round is running"));
  }

  /// Ends the running round with a trial that a person chose, or says why not.
  public Optional<String> keep(BranchId branch, String actor) {
    return running
        .map(round -> round.keep(branch, actor))
        .orElse(Optional.of("no round is running"));
  }

  /// A restored snapshot brings its setting along.
  public void restored(Setting setting) {
    adopted = Optional.of(setting);
  }

  /// Ends the running round without an outcome, and wants none.
  public void abandon(String why) {
    running.ifPresent(round -> round.abandon(why));
    running = Optional.empty();
    interrupted = Optional.empty();
    wanted = Optional.empty();
  }

  /// Forgets the branches of a round whose workers were lost, but not that it ran.
  public void lose() {
    running = Optional.empty();
  }

  /// Starts the round again that lost its workers, if the new mainline stands where it started.
  ///
  /// @return false when none was running; also when the mainline is behind, in which case training
  ///   goes on and comes to it again
  public boolean startAgain(Branch parent) {
    // The plateau that a lost mainline had reached comes again by itself.
    wanted = wanted.filter(next -> next.mainlineClock() == 0 || isAt(next, parent));
    if (interrupted.isEmpty()) {
      return false;
    }
    Interrupted last = interrupted.get();
    if (last.mainlineClock() == parent.mainlineClock()) {
      run(last.plan().again(), last.wanted(), parent);
      return true;
    }
    forget(last);
    return false;
  }

  private static boolean isAt(Wanted next, Branch parent) {
    return next.mainlineClock() == parent.mainlineClock();
  }

  private void forget(Interrupted last) {
    interrupted = Optional.empty();
    started--;
    switch (last.plan().trigger()) {
      case INITIAL -> {}
      case RETUNE -> retunes--;
      case MANUAL -> {
        manuals--;
        wanted = Optional.of(last.wanted());
      }
    }
  }
}
