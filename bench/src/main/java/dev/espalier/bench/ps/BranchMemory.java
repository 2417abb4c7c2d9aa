package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/// What many living branches take that differ in one hundredth of the rows of a table, and that
/// forks leave nothing behind.
///
/// @param branches how many live at once
/// @param mebibytes size of the table
/// @param forks how many branches are forked, written and freed one after the other
record BranchMemory(int branches, int mebibytes, int forks) implements Benchmark {
  private static final int COLUMNS = 64;
  private static final double DIFFERENT = 0.01;
  private static final BranchRef ROOT = new BranchRef(0);

  @Override
  public String title() {
    return "memory of %d branches of %d MiB".formatted(branches, mebibytes);
  }

  private int rows() {
    return (int) (((long) mebibytes << 20) / (COLUMNS * Float.BYTES));
  }

  @Override
  public List<Measurement> measure() {
    int changed = (int) (rows() * DIFFERENT);
    long idealBytes = (long) changed * COLUMNS * Float.BYTES;
    long budgetBytes = ((long) mebibytes << 20) + 2L * branches * idealBytes + (64L << 20);
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, budgetBytes),
                List.of(TableSpec.sparse("rows", rows(), COLUMNS, "sgd")));
        WorkerSession session = server.session()) {
      fill(session);
      long pageBytes = server.stats().bytesInUse();
      long heapBytes = heapBytes();
      var random = new SplittableRandom(7);
      for (int number = 1; number <= branches; number++) {
        change(session, new BranchRef(number), random.nextInt(rows() - changed), changed);
      }
      session.awaitQuiet();
      double pagesPerBranch = (server.stats().bytesInUse() - pageBytes) / (double) branches;
      double heapPerBranch = Math.max(0, heapBytes() - heapBytes) / (double) branches;
      for (int number = 1; number <= branches; number++) {
        session.free(new BranchRef(number));
      }
      session.awaitQuiet();
      long leaked = server.stats().bytesInUse() - pageBytes;
      double micros = forkOften(session, changed);
      long leakedByForks = server.stats().bytesInUse() - pageBytes;
      return List.of(
          new Measurement(
                  "pages of a branch of %d MiB that differs in 1%% of its rows, of %d alive"
                      .formatted(mebibytes, branches),
                  pagesPerBranch / 1024,
                  "KiB",
                  "those rows alone",
                  idealBytes / 1024.0)
              .withGoal(Goal.ratioAtMost(1.25)),
          new Measurement(
              "its page table and other objects",
              heapPerBranch / 1024,
              "KiB",
              "those rows alone",
              idealBytes / 1024.0),
          new Measurement("pages that are left when all are freed", leaked, "B", "none", 0)
              .withGoal(Goal.valueAtMost(0)),
          new Measurement(
              "fork, change 1%% of the rows, free; mean of %d".formatted(forks),
              micros,
              "us",
              "copy of those rows at 20 GB/s",
              2 * idealBytes / 20e3),
          new Measurement("pages that are left after them", leakedByForks, "B", "none", 0)
              .withGoal(Goal.valueAtMost(0)));
    }
  }

  private void fill(WorkerSession session) {
    session.create(ROOT);
    session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(0.1));
    float[] ones = new float[rows() * COLUMNS];
    Arrays.fill(ones, 1);
    session.assign(0, 0, rows(), ones, 0);
    session.awaitQuiet();
  }

  private static void change(WorkerSession session, BranchRef branch, int first, int count) {
    session.fork(branch, ROOT);
    session.select(branch, Staleness.bulkSynchronous(), StepSize.of(0.1));
    session.add(0, first, count, new float[count * COLUMNS], 0);
    session.tick(1);
  }

  private double forkOften(WorkerSession session, int changed) {
    var random = new SplittableRandom(8);
    long start = System.nanoTime();
    for (int i = 0; i < forks; i++) {
      BranchRef branch = new BranchRef(branches + 1 + i);
      change(session, branch, random.nextInt(rows() - changed), changed);
      session.free(branch);
    }
    session.awaitQuiet();
    return (System.nanoTime() - start) / 1e3 / forks;
  }

  private static long heapBytes() {
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
