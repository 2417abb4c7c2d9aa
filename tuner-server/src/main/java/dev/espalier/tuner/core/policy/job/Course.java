package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import java.util.Optional;

/// What a job does while its workers are there: which branches it forks, runs, measures and frees.
///
/// Policies differ in this alone; the life around it is `JobSession`'s. A course acts through
/// `Board`, and says through its `Host` when the job is over.
public interface Course {
  /// What a course asks of the session around it.
  interface Host {
    /// Ends the job in good order: the result is saved first.
    void stop(Ending ending);

    /// Ends the job as failed.
    void fail(String code, String message);

    /// Gives all workers up and starts new ones from the last good checkpoint.
    void restart(String reason);

    /// Gives all workers up and starts new ones from the checkpoint that a person went back to.
    ///
    /// @param what happened, in words
    void goBack(String what);

    /// Says that something was gained that a loss of workers would not undo.
    void noteProgress();
  }

  /// {@return settings that hold every batch size the job may ever use}
  List<Setting> extremeSettings();

  /// The first workers are ready: makes the first branch.
  void begin();

  /// New workers are ready after others were lost: goes on from the last good checkpoint.
  void resume();

  /// All branches are gone with their workers.
  void lose();

  /// Frees what is only tried; the result stays.
  void abandon(String why);

  /// One clock of a branch that the board has counted.
  ///
  /// @param loss mean training loss of the clock; may be NaN or infinite
  void clockReported(Branch branch, double loss);

  void evaluated(SessionEvent.Evaluated event);

  /// Shows that checkpoints cannot be written, or can again, unless something else is under way
  /// that is to be seen.
  ///
  /// @param reason a code
  void showCheckpoints(String reason, String outcome);

  /// Does what is next; called after each clock and each other event while workers are there.
  void advance();

  /// Takes a person's wish for a round.
  ///
  /// @return why it is refused; empty when it is not
  Optional<String> retune(String actor);

  /// Takes a person's wish to try a setting beside those of the policy.
  ///
  /// @return why it is refused; empty when it is not
  Optional<String> tryBeside(Setting asked, String actor);

  /// Takes a person's wish that one of the branches on trial is the one to go on with.
  ///
  /// @return why it is refused; empty when it is not
  Optional<String> keep(BranchId branch, String actor);

  /// Takes a person's wish to give a branch on trial up.
  ///
  /// @return why it is refused; empty when it is not
  Optional<String> discard(BranchId branch, String actor);

  /// Takes a person's wish to go back to a good checkpoint.
  ///
  /// @return why it is refused; empty when it is not
  Optional<String> restore(Checkpoints.Mark mark, String actor);

  /// {@return what the job is doing, `TRAINING` or `TUNING`}
  String stage();

  /// {@return the branch that the job is about}
  Branch mainline();

  /// {@return the validation results of what the job is about, or could be}
  History history();

  /// {@return the value of the metric that judges the model in a state that was saved; NaN where it
  /// was not evaluated}
  double valueAt(Checkpoints.Mark mark);

  /// Asks for the checkpoint that is the job's result, unless it is there or on its way.
  void saveResult();

  /// {@return whether the job's result is durable}
  boolean isResultSaved();
}
