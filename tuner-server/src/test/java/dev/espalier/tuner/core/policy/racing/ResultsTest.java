package dev.espalier.tuner.core.policy.racing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.tuner.core.policy.Jobs;
import dev.espalier.tuner.core.policy.board.Board;
import dev.espalier.tuner.core.policy.board.Checkpoints;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.policy.job.History;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// When a result is a gain, so that the job has not converged.
class ResultsTest {
  private final Board board = new Board(Jobs.with(Jobs.tuned(1), 10_000, Double.NaN));
  private final Mainline mainline = new Mainline(board, Jobs.setting(0.1));
  private final RaceTimes times = new RaceTimes(RacingOptions.DEFAULTS);
  private final History history = new History(Goal.MINIMIZE);
  private final Results results =
      new Results(board, new Checkpoints(board), mainline, times, history);

  ResultsTest() {
    board.workersAre(new Workload(1, Jobs.SAMPLES, 32, 64));
    mainline.create();
  }

  /// {@return whether the job has converged right after a result}
  private boolean hasConverged(double atSeconds, double value, double loss) {
    board.spendOnEvaluation(atSeconds - board.spentSeconds());
    results.take(
        new SessionEvent.Evaluated(
            atSeconds,
            history.size() + 1,
            mainline.branch().id(),
            Map.of("loss", value),
            1,
            List.of(loss),
            List.of()));
    return times.isConverged(board.spentSeconds(), 10, 10);
  }

  @Test
  void anEqualResultIsAGainWhereItsLossIsLessByAHundredth() {
    assertThat(hasConverged(100, 0.5, 1)).isFalse();

    assertThat(hasConverged(300, 0.5, 0.98)).isFalse();
  }

  /// The loss of a model that knows all its samples falls for ever.
  @Test
  void anEqualResultWhoseLossIsHardlyLessIsKeptAndIsNoGain() {
    hasConverged(100, 0.5, 1);

    assertThat(hasConverged(300, 0.5, 0.995)).isTrue();
    assertThat(history.best()).map(History.Entry::loss).contains(0.995);
    assertThat(hasConverged(310, 0.5, 0.989)).as("in all it fell by a hundredth").isFalse();
  }

  @Test
  void whatComesAgainAfterALossIsAGainAsBefore() {
    hasConverged(100, 0.5, 1);
    history.truncate(0);
    results.resumed();

    assertThat(hasConverged(300, 0.5, 1)).isFalse();
  }
}
