package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.plan.PlanOptions;
import dev.espalier.ps.table.TableSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/// What the first dense clock after a fork, which writes every page anew, costs a program beside
/// the clocks after it, which write in place: a gradient of all rows is added and the clock ticked.
///
/// @param mebibytes size of the table's parameters; the heap must hold some arrays of that size
/// @param forks how many forks to take the median of
/// @param rules of the tables, by name
public record FirstClocks(int mebibytes, int forks, List<String> rules) implements Benchmark {
  private static final int COLUMNS = 1024;
  private static final int CLOCKS_PER_BRANCH = 4;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final double MOST = 1.05;

  @Override
  public String title() {
    return "dense clocks after forks of a table of %d MiB".formatted(mebibytes);
  }

  @Override
  public List<Measurement> measure() {
    List<Measurement> measurements = new ArrayList<>();
    for (String rule : rules) {
      measurements.addAll(measure(rule));
    }
    return measurements;
  }

  private List<Measurement> measure(String rule) {
    int rows = Math.toIntExact(((long) mebibytes << 20) / (COLUMNS * Float.BYTES));
    TableSpec spec = TableSpec.dense("weights", rows, COLUMNS, rule);
    int planes = spec.updateRule().stateArrays() + 1;
    long budgetBytes = (2L * planes * mebibytes + 64) << 20;
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, budgetBytes), List.of(spec));
        WorkerSession session = server.session()) {
      session.planRepeatedAccess(PlanOptions.all());
      return new Forks(session, rows).measure(rule);
    }
  }

  /// Forks of a table with one rule, and their clocks.
  private final class Forks {
    private final WorkerSession session;
    private final int rows;
    private final float[] gradient;
    private final List<Clock> firsts = new ArrayList<>();
    private final List<Clock> others = new ArrayList<>();

    Forks(WorkerSession session, int rows) {
      this.session = session;
      this.rows = rows;
      gradient = new float[rows * COLUMNS];
      var random = new SplittableRandom(1);
      for (int i = 0; i < gradient.length; i++) {
        gradient[i] = (float) random.nextDouble(-1, 1);
      }
    }

    List<Measurement> measure(String rule) {
      session.create(ROOT);
      select(ROOT);
      for (int clock = 0; clock < CLOCKS_PER_BRANCH; clock++) {
        clock();
      }
      round(1);
      firsts.clear();
      others.clear();
      for (int fork = 0; fork < forks; fork++) {
        round(2 + fork);
      }
      Clock first = Clock.median(firsts);
      Clock other = Clock.median(others);
      return List.of(
          new Measurement(
                  "first dense clock after a fork, " + rule,
                  first.millis(),
                  "ms",
                  "dense clocks after it",
                  other.millis())
              .withGoal(Goal.ratioAtMost(MOST)),
          new Measurement(
              "its step alone", first.stepMillis(), "ms", "steps after it", other.stepMillis()));
    }

    private void round(int number) {
      BranchRef branch = new BranchRef(number);
      session.fork(branch, ROOT);
      select(branch);
      firsts.add(clock());
      for (int clock = 1; clock < CLOCKS_PER_BRANCH; clock++) {
        others.add(clock());
      }
      session.free(branch);
      session.awaitQuiet();
    }

    private void select(BranchRef branch) {
      session.select(branch, Staleness.bulkSynchronous(), StepSize.of(0.1));
    }

    private Clock clock() {
      long start = System.nanoTime();
      session.add(0, 0, rows, gradient, 0);
      long added = System.nanoTime();
      session.tick(1);
      session.awaitQuiet();
      long end = System.nanoTime();
      return new Clock((end - start) / 1e6, (end - added) / 1e6);
    }
  }

  /// What a clock takes, and of it the step.
  private record Clock(double millis, double stepMillis) {
    static Clock median(List<Clock> clocks) {
      return new Clock(
          Rate.median(clocks.stream().mapToDouble(Clock::millis)),
          Rate.median(clocks.stream().mapToDouble(Clock::stepMillis)));
    }
  }
}
