package dev.espalier.tuner.core.policy.mainline;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.job.Course;
import dev.espalier.tuner.core.policy.job.Ending;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.policy.job.Requests;
import dev.espalier.tuner.core.policy.job.WayBack;
import dev.espalier.tuner.core.policy.round.Round;
import dev.espalier.tuner.core.policy.round.Rounds;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import java.util.Optional;

/// One mainline that trains from epoch to epoch, and stands still while a round of trials runs
/// (MLtuner, section 3.3); with a strategy that does not tune, the mainline alone.
public final class MainlineCourse implements Course {
  private enum Stage {
    TUNING,
    TRAINING
  }

  private final JobPlan plan;
  private final Strategy strategy;
  private final Board board;
  private final Checkpoints checkpoints;
  private final Host host;
  private final Trainer trainer;
  private final Rounds rounds;
  private final WayBack back;
  private Stage stage = Stage.TRAINING;
  private int overflows;

  /// Opens the course of the policy `mltuner`.
  public static Course tuned(Board board, Checkpoints checkpoints, Host host) {
    return new MainlineCourse(new TunerStrategy(board.plan()), board, checkpoints, host);
  }

  /// Opens the course of the policy `fixed`.
  public static Course fixed(Board board, Checkpoints checkpoints, Host host) {
    return new MainlineCourse(new FixedStrategy(board.plan()), board, checkpoints, host);
  }

  private MainlineCourse(Strategy strategy, Board board, Checkpoints checkpoints, Host host) {
    this.plan = board.plan();
    this.strategy = strategy;
    this.board = board;
    this.checkpoints = checkpoints;
    this.host = host;
    this.trainer = new Trainer(board, strategy, checkpoints);
    this.rounds = new Rounds(board);
    this.back = new WayBack(board, checkpoints, host);
  }

  @Override
  public List<Setting> extremeSettings() {
    return strategy.extremeSettings();
  }

  @Override
  public void begin() {
    trainer.begin(board.createFirst(strategy.firstSetting()));
    if (strategy.isTuning()) {
      rounds.startInitial(mainline());
      stage = Stage.TUNING;
      return;
    }
    board.decide(
        "setting",
        "fixed.setting",
        "Train with " + Words.setting(mainline().setting()) + "; nothing is searched",
        Evidence.of().with("setting", mainline().setting()).with("steps", plan.schedule().size()));
    train();
  }

  @Override
  public void resume() {
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    back.lose();
    checkpoints.chosenSetting().ifPresent(rounds::restored);
    Setting present = rounds.adopted().orElseGet(strategy::firstSetting);
    if (mark.isPresent()) {
      var setting = strategy.settingAt(mark.get().mainlineClock(), present);
      trainer.begin(board.restore(mark.get(), setting), mark.get());
    } else {
      trainer.begin(board.createFirst(strategy.settingAt(0, present)));
    }
    if (rounds.startAgain(mainline())) {
      stage = Stage.TUNING;
    } else {
      train();
    }
  }

  @Override
  public void lose() {
    trainer.lose();
    rounds.lose();
  }

  @Override
  public void abandon(String why) {
    rounds.abandon(why);
  }

  @Override
  public void clockReported(Branch branch, double loss) {
    if (branch.equals(trainer.mainline().orElse(null)) && !Double.isFinite(loss)) {
      overflowed(branch, loss);
    } else if (stage == Stage.TUNING && branch.isAlive()) {
      rounds.clockReported(branch);
    }
  }

  /// A policy that tunes goes back to the last checkpoint and tunes; otherwise the job has failed.
  private void overflowed(Branch branch, double loss) {
    String what = Endings.overflow(branch, loss);
    Optional<Checkpoints.Mark> mark = checkpoints.lastDurable();
    boolean mayRetune = strategy.isTuning() && rounds.retunes() < plan.options().maxRetunes();
    if (mark.isEmpty() || !mayRetune || stage != Stage.TRAINING) {
      host.fail("diverged", what + "; " + checkpoints.inWords());
      return;
    }
    overflows++;
    board.decide(
        "overflow-" + overflows,
        "job.overflow",
        what + ": go back to checkpoint " + mark.get().checkpoint() + " and tune again",
        Evidence.of()
            .with("mainlineClock", branch.mainlineClock())
            .with("setting", branch.setting())
            .with("checkpoint", mark.get().checkpoint()));
    host.restart("the training loss overflowed");
    rounds.wantRetuneAt(mark.get().mainlineClock());
  }

  @Override
  public void evaluated(SessionEvent.Evaluated event) {
    if (!trainer.evaluated(event) || stage != Stage.TRAINING) {
      return;
    }
    if (checkpoints.isDue()) {
      trainer.checkpoint();
    }
    rule(event);
  }

  private void rule(SessionEvent.Evaluated event) {
    Optional<Ending> over = Endings.targetReached(plan, event.metrics()).or(() -> trainer.ending());
    if (over.isPresent()) {
      host.stop(over.get());
      return;
    }
    switch (strategy.afterEvaluation(trainer.history(), rounds.retunes())) {
      case Ruling.GoOn _ -> {}
      case Ruling.Retune _ -> plateau();
      case Ruling.End end -> host.stop(end.ending());
    }
  }

  private void plateau() {
    int patience = plan.options().retunePlateauEpochs();
    board.decide(
        "plateau-" + (rounds.retunes() + 1),
        "mltuner.plateau",
        "No new best in the last " + Words.count(patience, "evaluation") + ": tune again",
        Evidence.of()
            .with("retunePlateauEpochs", patience)
            .with("epoch", mainline().epochs())
            .with("metric", plan.validation().name())
            .with("history", trainer.history().values()));
    rounds.wantRetuneAt(mainline().mainlineClock());
  }

  @Override
  public void showCheckpoints(String reason, String outcome) {
    if (stage == Stage.TRAINING) {
      board.show(JobState.TRAINING, reason, outcome, "");
    }
  }

  @Override
  public void advance() {
    switch (stage) {
      case TUNING -> rounds.outcome().ifPresent(this::conclude);
      case TRAINING -> advanceTraining();
    }
  }

  private void advanceTraining() {
    if (!trainer.isAtRest()) {
      if (!rounds.isWanted() && !back.isWanted()) {
        trainer.runOn();
      }
      return;
    }
    Optional<Ending> bound = trainer.ending();
    if (trainer.needsEvaluation()) {
      trainer.evaluate();
    } else if (bound.isPresent()) {
      host.stop(bound.get());
    } else if (back.isWanted()) {
      goBackOnceSaved();
    } else if (rounds.isWanted()) {
      startRoundOnceSaved();
    } else {
      trainer.changeSettingIfDue();
      trainer.runOn();
    }
  }

  /// A round starts from a state that is durable, so that it can start again.
  private void startRoundOnceSaved() {
    if (isSavedBefore(rounds.wantedInWords())) {
      rounds.startWanted(mainline());
      stage = Stage.TUNING;
    }
  }

  private boolean isSavedBefore(String what) {
    if (mainline().mainlineClock() == 0 || checkpoints.isSettledFor(mainline())) {
      return true;
    }
    trainer.checkpoint();
    board.show(JobState.TRAINING, "saving", "Writing a checkpoint before " + what, "checkpoint");
    return false;
  }

  private void goBackOnceSaved() {
    if (isSavedBefore("going back to " + back.label())) {
      back.take(mainline());
    }
  }

  private void conclude(Round.Outcome outcome) {
    Round round = rounds.finish();
    host.noteProgress();
    if (outcome.winner().isPresent()) {
      Branch winner = outcome.winner().get();
      board.adopt(winner, round.parent());
      trainer.takeOver(winner);
      trainer.checkpoint();
      train();
      advance();
      return;
    }
    nothingLearns(round, outcome.why());
  }

  private void nothingLearns(Round round, String why) {
    if (board.isTimeUp()) {
      host.stop(Endings.maxSeconds(board));
      return;
    }
    switch (round.trigger()) {
      case INITIAL -> host.fail("nothing-learns", Endings.nothingEverLearned(round.trials(), why));
      case RETUNE -> host.stop(Endings.nothingLearns());
      case MANUAL -> {
        train();
        advance();
      }
    }
  }

  private void train() {
    stage = Stage.TRAINING;
    board.show(
        JobState.TRAINING, "training", "Training with " + Words.setting(mainline().setting()), "");
  }

  @Override
  public Optional<String> retune(String actor) {
    Optional<String> refusal = reasonAgainstRound();
    if (refusal.isEmpty()) {
      rounds.wantManual(actor);
    }
    return refusal;
  }

  @Override
  public Optional<String> tryBeside(Setting asked, String actor) {
    Optional<String> refusal = reasonAgainstRound();
    if (refusal.isEmpty()) {
      refusal = Requests.problemOf(asked, mainline().setting(), plan, board.workload());
    }
    if (refusal.isEmpty()) {
      rounds.wantTry(mainline().setting(), asked, actor);
    }
    return refusal;
  }

  @Override
  public Optional<String> keep(BranchId branch, String actor) {
    return rounds.keep(branch, actor);
  }

  @Override
  public Optional<String> discard(BranchId branch, String actor) {
    return rounds.discard(branch, actor);
  }

  @Override
  public Optional<String> restore(Checkpoints.Mark mark, String actor) {
    if (stage != Stage.TRAINING) {
      return Optional.of("the job is not training but " + stage);
    }
    if (rounds.isWanted() || back.isWanted()) {
      return Optional.of("a round or another snapshot is due already");
    }
    back.want(mark, actor);
    return Optional.empty();
  }

  private Optional<String> reasonAgainstRound() {
    if (!strategy.isTuning()) {
      return Optional.of("the policy " + plan.policy() + " does not tune this job");
    }
    if (stage != Stage.TRAINING) {
      return Optional.of("the job is not training but " + stage);
    }
    if (back.isWanted()) {
      return Optional.of("a snapshot is about to be restored");
    }
    return rounds.isWanted() ? Optional.of("a round is due already") : Optional.empty();
  }

  @Override
  public String stage() {
    return stage.name();
  }

  @Override
  public Branch mainline() {
    return trainer.mainline().orElseThrow(() -> new IllegalStateException("no mainline branch"));
  }

  @Override
  public History history() {
    return trainer.history();
  }

  @Override
  public double valueAt(Checkpoints.Mark mark) {
    return history().valueAt(mark.start().number(), mark.mainlineClock());
  }

  @Override
  public void saveResult() {
    trainer.saveResult();
  }

  @Override
  public boolean isResultSaved() {
    return checkpoints.isDurableFor(mainline());
  }
}
