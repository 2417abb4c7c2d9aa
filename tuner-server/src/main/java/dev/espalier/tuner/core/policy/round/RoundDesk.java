package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.progress.ProgressSummarizer;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.search.Observation;
import dev.espalier.tuner.core.search.Searcher;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What the phases of a round share: its trials, its trial time, and how a trial is run and judged.
final class RoundDesk {
  /// A floor of a quotient of sums of seconds must not lose a clock to rounding.
  private static final double ROUNDING = 1e-9;

  private final Board board;
  private final RoundPlan plan;
  private final Branch parent;
  private final Searcher searcher;
  private final ProgressSummarizer summarizer;
  private final List<Trial> trials = new ArrayList<>();
  private double startingLoss = Double.NaN;
  private double trialSeconds;
  private String phase = "probing";

  RoundDesk(Board board, RoundPlan plan, Branch parent, Searcher searcher) {
    this.board = board;
    this.plan = plan;
    this.parent = parent;
    this.searcher = searcher;
    JobPlan.Options options = board.plan().options();
    this.summarizer =
        new ProgressSummarizer(
            options.windows(), options.startingLoss(), options.divergenceFactor());
    this.trialSeconds = options.trialSeconds();
  }

  Board board() {
    return board;
  }

  RoundPlan plan() {
    return plan;
  }

  Branch parent() {
    return parent;
  }

  List<Trial> trials() {
    return trials;
  }

  double startingLoss() {
    return startingLoss;
  }

  void startFrom(double loss) {
    startingLoss = loss;
  }

  double trialSeconds() {
    return trialSeconds;
  }

  /// Doubles the trial time, up to the longest epoch of any trial.
  void doubleTrialSeconds() {
    double longest =
        trials.stream()
            .map(Trial::branch)
            .filter(branch -> branch.clocks() > 0)
            .mapToDouble(branch -> maxClocks(branch) * branch.secondsPerClock())
            .max()
            .orElse(trialSeconds);
    trialSeconds = Math.max(trialSeconds, Math.min(2 * trialSeconds, longest));
    tellRound("");
  }

  void enter(String nextPhase) {
    phase = nextPhase;
    tellRound("");
  }

  void end(Optional<Trial> winner, String outcome) {
    phase = "ended";
    tellRound(winner, outcome);
  }

  private void tellRound(String outcome) {
    tellRound(Optional.empty(), outcome);
  }

  private void tellRound(Optional<Trial> winner, String outcome) {
    board.emit(
        new SessionEffect.RoundChanged(
            plan.number(),
            plan.trigger(),
            phase,
            parent.id(),
            trials.size(),
            plan.maxTrials(),
            trialSeconds,
            winner.map(trial -> trial.branch().id()),
            outcome));
  }

  void decide(String key, String rule, String outcome, Evidence evidence) {
    board.decide(plan.key(key), rule, outcome, "policy", plan.number(), evidence);
  }

  List<Observation> observations() {
    return trials.stream().flatMap(trial -> trial.observation().stream()).toList();
  }

  /// Forks a trial of the searcher's next setting; empty when the bound is met or nothing is left.
  Optional<Trial> tryNext() {
    if (trials.size() >= plan.maxTrials()) {
      return Optional.empty();
    }
    return searcher.propose(observations(), trials.size()).map(this::open);
  }

  private Trial open(Setting searched) {
    Setting setting = parent.setting().with(searched);
    Branch branch = board.fork(parent, BranchKind.TRIAL, plan.number(), setting);
    branch.beginTrace();
    var trial = new Trial(trials.size() + 1, branch, searched);
    trials.add(trial);
    tellRound("");
    board.show(
        JobState.TUNING,
        "round-running",
        "Trying setting "
            + trial.number()
            + " of at most "
            + plan.maxTrials()
            + " in "
            + plan.label()
            + (trialSeconds > 0 ? "; trial time " + Words.number(trialSeconds) + " s" : ""),
        "clocks of branch " + branch.id());
    return trial;
  }

  /// Begins to extend a trial up to the trial time.
  ///
  /// @return whether clocks are now under way; false when it has run that long already
  boolean beginRun(Trial trial) {
    trial.beginRun();
    return schedulePiece(trial);
  }

  /// {@return whether more clocks had to be scheduled for a trial that is at rest}
  boolean schedulePiece(Trial trial) {
    long target = targetClocks(trial.branch());
    if (target <= trial.branch().clocks() || !trial.takePiece()) {
      return false;
    }
    board.schedule(trial.branch(), target);
    return true;
  }

  /// floor(trialTime / seconds per clock), at least K clocks and at most an epoch; K to begin with.
  private long targetClocks(Branch branch) {
    int windows = summarizer.windows();
    if (branch.clocks() == 0) {
      return Math.max(windows, 3);
    }
    fixTrialSeconds(branch);
    long wanted = (long) Math.floor(trialSeconds / branch.secondsPerClock() * (1 + ROUNDING));
    return Math.clamp(wanted, windows, Math.max(windows, maxClocksInTime(branch)));
  }

  /// The epoch bound, and what the job's seconds still allow.
  private long maxClocksInTime(Branch branch) {
    double bound = board.plan().maxSeconds();
    if (bound <= 0) {
      return maxClocks(branch);
    }
    double secondsLeft = Math.max(0, bound - board.nowSeconds());
    long affordable = branch.clocks() + (long) Math.ceil(secondsLeft / branch.secondsPerClock());
    return Math.min(maxClocks(branch), affordable);
  }

  /// Without a trial time of the user's, the first trial sets it: the time that K clocks take.
  void fixTrialSeconds(Branch branch) {
    if (trialSeconds <= 0) {
      trialSeconds = summarizer.windows() * branch.secondsPerClock();
      tellRound("");
    }
  }

  /// {@return the most clocks a trial may run: an epoch, but never too few to be judged}
  long maxClocks(Branch branch) {
    return Math.max(branch.clocksPerEpoch(), summarizer.windows());
  }

  boolean isAtBound(Trial trial) {
    return trial.branch().clocks() >= maxClocks(trial.branch());
  }

  /// Summarises a trial that is at rest, and frees it when it diverged.
  void judge(Trial trial) {
    ProgressSummary summary = summarizer.summarize(trial.branch().trace(), startingLoss);
    trial.judge(summary);
    trial.branch().judge(summary);
    if (summary.verdict() == Verdict.DIVERGED) {
      fail(trial, summary);
    } else {
      board.changed(trial.branch(), BranchState.MEASURED);
    }
  }

  /// Judges a trial that may have clocks under way, by those that were reported.
  void judgeAsItStands(Trial trial) {
    if (trial.branch().isAtRest()) {
      judge(trial);
      return;
    }
    ProgressSummary summary = summarizer.summarize(trial.branch().trace(), startingLoss);
    trial.judge(summary);
    trial.branch().judge(summary);
    if (summary.verdict() == Verdict.DIVERGED) {
      fail(trial, summary);
    }
  }

  private void fail(Trial trial, ProgressSummary summary) {
    boolean overflowed = trial.branch().trace().hasOverflowed();
    String why =
        overflowed
            ? "its loss overflowed at clock " + (trial.branch().trace().firstOverflow() + 1)
            : "its loss rose to "
                + Words.number(summary.windowMeans().getLast())
                + ", more than "
                + Words.number(summarizer.divergenceFactor())
                + " times the starting loss";
    settle(trial, "mltuner.diverged", "diverged: " + why);
    board.free(trial.branch(), BranchState.FAILED);
  }

  /// Frees a trial that lost.
  void drop(Trial trial, String rule, String why) {
    settle(trial, rule, why);
    board.free(trial.branch(), BranchState.DISCARDED);
  }

  /// Writes a trial's verdict down.
  void settle(Trial trial, String rule, String why) {
    Evidence evidence =
        Evidence.of()
            .with("branch", trial.branch().id().number())
            .with("setting", trial.branch().setting())
            .with("startingLoss", startingLoss)
            .with("trialSeconds", trialSeconds)
            .with("clocks", trial.branch().clocks())
            .with("seconds", trial.branch().seconds());
    trial.summary().ifPresent(evidence::with);
    decide(
        "trial-" + trial.number(),
        rule,
        Words.sentence(trial.inWords()) + " (" + Words.setting(trial.searched()) + ") " + why,
        evidence);
  }

  /// {@return all speeds so far, for evidence}
  List<Map<String, Object>> scores() {
    return trials.stream().map(RoundDesk::score).toList();
  }

  private static Map<String, Object> score(Trial trial) {
    var score = new LinkedHashMap<String, Object>();
    score.put("trial", (long) trial.number());
    score.put("branch", (long) trial.branch().id().number());
    score.put("setting", trial.searched().values());
    score.put("verdict", trial.summary().map(known -> known.verdict().name()).orElse("UNJUDGED"));
    score.put("speed", trial.speed());
    return score;
  }
}
