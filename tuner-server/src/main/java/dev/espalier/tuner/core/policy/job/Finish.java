package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Evidence;
import dev.espalier.tuner.core.policy.board.Words;
import java.util.Optional;

/// Brings a job to its end: the last checkpoint, the last words.
final class Finish {
  private final Board board;
  private final Course course;
  private final Checkpoints checkpoints;
  private Optional<Ending> ending = Optional.empty();

  Finish(Board board, Course course, Checkpoints checkpoints) {
    this.board = board;
    this.course = course;
    this.checkpoints = checkpoints;
  }

  /// Asks for the last checkpoint of a mainline that is there.
  void begin(Ending how) {
    ending = Optional.of(how);
    if (board.isPaused()) {
      board.resume();
    }
    course.saveResult();
    board.decide("end", "job." + how.reason(), how.message() + bestInWords(), evidence());
    board.show(
        JobState.STOPPING,
        how.reason(),
        how.message() + "; writing the last checkpoint",
        "checkpoint");
  }

  private Evidence evidence() {
    Evidence evidence =
        Evidence.of()
            .with("metric", board.plan().validation().name())
            .with("history", course.history().values())
            .with("epoch", course.mainline().epochs())
            .with("seconds", board.nowSeconds());
    board
        .result()
        .ifPresent(result ->
            evidence
                .with("resultStart", result.start())
                .with("resultBranch", result.branch().number())
                .with("resultClock", result.mainlineClock())
                .with("resultEpoch", result.epoch()));
    return evidence;
  }

  /// {@return whether the job has ended now: no checkpoint is on its way any more}
  boolean endIfSaved() {
    if (checkpoints.isAnyPending()) {
      return false;
    }
    board.command(new BranchCommand.Stop());
    board.changed(course.mainline(), BranchState.KEPT);
    boolean isSaved = course.isResultSaved();
    if (!isSaved) {
      settle();
    }
    say(isSaved ? "" : "; " + checkpoints.inWords());
    return true;
  }

  /// Says the last words of a job whose last checkpoint will not come.
  void endUnsaved() {
    settle();
    say("; workers were lost before the last checkpoint was written: " + checkpoints.inWords());
  }

  /// Ends without asking workers for anything.
  void endNow(Ending how) {
    ending = Optional.of(how);
    settle();
    say(course.history().size() > 0 ? "; " + checkpoints.inWords() : "");
  }

  /// Ends as failed.
  void fail(String code, String message) {
    settle();
    board.show(JobState.FAILED, code, message, "");
  }

  /// What is not written by now never will be, so the result is a state that is.
  private void settle() {
    checkpoints.giveUpPending();
    checkpoints.settleForLast(course::valueAt);
  }

  private void say(String remark) {
    ending.ifPresent(
        how -> board.show(how.state(), how.reason(), how.message() + bestInWords() + remark, ""));
  }

  private String bestInWords() {
    return course
        .history()
        .best()
        .map(best ->
            "; best "
                + board.plan().validation().name()
                + " "
                + Words.number(best.value())
                + " at epoch "
                + Words.number(best.epoch())
                + startInWords(best.start()))
        .orElse("");
  }

  private String startInWords(int start) {
    return board.starts() > 1 ? " of start " + start : "";
  }
}
