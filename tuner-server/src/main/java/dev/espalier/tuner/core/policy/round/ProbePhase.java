package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Measures the starting loss: the mean loss of a fork of the parent with a learning rate of zero,
/// which changes nothing (MLtuner's code, `GET_STARTING_PROGRESS`).
final class ProbePhase implements RoundPhase {
  private static final int SHARE_OF_EPOCH = 10;

  private final RoundDesk desk;
  private final Runnable next;
  private @Nullable Branch probe;

  ProbePhase(RoundDesk desk, Runnable next) {
    this.desk = desk;
    this.next = next;
  }

  @Override
  public void begin() {
    Setting setting =
        desk.parent().setting().with(Tunable.LEARNING_RATE, 0).with(Tunable.STALENESS, 0);
    Board board = desk.board();
    board.show(
        JobState.TUNING,
        "round-running",
        "Measuring the starting loss of " + desk.plan().label(),
        "clocks of the probe");
    Branch branch = board.fork(desk.parent(), BranchKind.EVALUATION, desk.plan().number(), setting);
    branch.beginTrace();
    probe = branch;
    board.schedule(branch, probeClocks(branch));
  }

  @Override
  public Optional<String> reasonToHold(Trial trial) {
    return Optional.of("the round has no trial yet");
  }

  @Override
  public void givenUp(Trial trial) {
    throw new IllegalStateException("a probing round has no trial");
  }

  /// As many as asked for, but at most a tenth of an epoch unless that is less than K.
  private long probeClocks(Branch branch) {
    JobPlan.Options options = desk.board().plan().options();
    long atMost = Math.max(options.windows(), branch.clocksPerEpoch() / SHARE_OF_EPOCH);
    return Math.clamp(options.probeClocks(), 1, atMost);
  }

  @Override
  public void clockReported(Branch branch) {
    if (branch.equals(probe) && branch.isAtRest()) {
      desk.startFrom(branch.trace().meanLoss());
      desk.board().free(branch, BranchState.DISCARDED);
      probe = null;
      next.run();
    }
  }
}
