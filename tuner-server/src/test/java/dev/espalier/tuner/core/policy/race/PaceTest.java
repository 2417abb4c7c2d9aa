package dev.espalier.tuner.core.policy.race;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Branch;
import dev.espalier.tuner.core.policy.board.Workload;
import org.junit.jupiter.api.Test;

class PaceTest {
  private static final Workload WORKLOAD = new Workload(1, Jobs.SAMPLES, 32, 0);

  private final Board board = new Board(Jobs.with(Jobs.tuned(1), 1000, Double.NaN));
  private final Pace pace = new Pace();
  private final Branch root;

  PaceTest() {
    board.workersAre(WORKLOAD);
    root = board.createFirst(batch(32));
  }

  private static Setting batch(double samples) {
    return Jobs.setting(0.1).with(Tunable.BATCH_SIZE, samples);
  }

  private void learn(double batch, long clocks, double secondsPerClock) {
    Branch branch = board.fork(root, BranchKind.TRIAL, 1, batch(batch));
    board.schedule(branch, clocks);
    for (long clock = 0; clock < clocks; clock++) {
      board.count(branch, secondsPerClock, 1);
    }
    pace.learn(branch);
  }

  private static double of(Pace known, double batch) {
    return known.secondsPerClock(batch(batch)).orElseThrow();
  }

  @Test
  void aFewSlowClocksSayLittleBesideMany() {
    learn(32, 1_000, 0.001);
    learn(32, 10, 0.006);

    assertThat(of(pace, 32)).isCloseTo(0.0011, within(1e-4));
  }

  @Test
  void whatALargerBatchTakesIsBelievedWithinWhatIsPlausible() {
    learn(32, 100, 0.004);
    learn(128, 100, 0.001);
    learn(64, 100, 0.1);
    learn(256, 100, 0.016);
    Pace frozen = pace.frozen(batch(32), WORKLOAD);

    assertThat(of(frozen, 128)).as("at least as a smaller one").isCloseTo(0.0032, within(1e-9));
    assertThat(of(frozen, 64)).as("at most in proportion").isCloseTo(0.01, within(1e-9));
    assertThat(of(frozen, 256)).as("between").isCloseTo(0.016, within(1e-9));
    assertThat(of(pace, 128)).isCloseTo(0.001, within(1e-9));
  }

  @Test
  void whatIsFrozenLearnsNothingOfTheOriginal() {
    learn(32, 100, 0.001);
    Pace frozen = pace.frozen(batch(32), WORKLOAD);
    learn(32, 1_000, 0.1);

    assertThat(of(frozen, 32)).isCloseTo(0.001, within(1e-9));
    assertThat(of(pace, 32)).isGreaterThan(0.09);
  }
}
