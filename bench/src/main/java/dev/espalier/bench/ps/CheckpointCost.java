package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.checkpoint.CheckpointStore;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/// How fast checkpoints reach the disk, beside plain writes of as many bytes in the same rounds,
/// and what training loses meanwhile.
///
/// @param mebibytes parameters and optimizer state of the table
/// @param rounds how often to write
record CheckpointCost(int mebibytes, int rounds) implements Benchmark {
  private static final int COLUMNS = 256;
  private static final int WRITE_BYTES = 4 << 20;
  private static final BranchRef ROOT = new BranchRef(0);
  private static final double LEAST_OF_DISK = 0.7;
  private static final double LEAST_OF_TRAINING = 0.9;

  @Override
  public String title() {
    return "checkpoints of %d MiB".formatted(mebibytes);
  }

  @Override
  public List<Measurement> measure() throws IOException {
    Path folder = Files.createTempDirectory("espalier-bench");
    int rows = (int) (((long) mebibytes << 20) / 2 / (COLUMNS * Float.BYTES));
    try (ParameterServer server =
            ParameterServer.open(
                ParameterServerConfig.of(1, 0, 3L * mebibytes << 20),
                List.of(TableSpec.dense("weights", rows, COLUMNS, "momentum")));
        WorkerSession session = server.session()) {
      session.create(ROOT);
      session.select(ROOT, Staleness.bulkSynchronous(), StepSize.of(1e-3));
      float[] gradients = new float[rows * COLUMNS];
      Arrays.fill(gradients, 1e-3f);
      return measure(session, folder, rows, gradients);
    } finally {
      delete(folder);
    }
  }

  private List<Measurement> measure(WorkerSession session, Path folder, int rows, float[] gradients)
      throws IOException {
    double[] disk = new double[rounds];
    double[] full = new double[rounds];
    double[] part = new double[rounds];
    Clocks idle = Clocks.NONE;
    Clocks busy = Clocks.NONE;
    // The first round is not counted: the JVM compiles, memory is new.
    for (int i = -1; i < rounds; i++) {
      train(session, rows, gradients);
      double diskSeconds = plainWriteSeconds(folder.resolve("plain"));
      double fullSeconds = checkpointSeconds(session, folder.resolve("full"));
      session.add(0, 0, rows / 100, gradients, 0);
      session.tick(1);
      double partSeconds = checkpointSeconds(session, folder.resolve("part"));
      // Before and after: the machine's speed changes meanwhile.
      Clocks before = trainDuring(session, rows, gradients, resting());
      Clocks during =
          trainDuring(session, rows, gradients, session.checkpoint(ROOT, folder.resolve("busy")));
      Clocks after = trainDuring(session, rows, gradients, resting());
      for (String name : List.of("full", "part", "busy")) {
        CheckpointStore.delete(folder.resolve(name));
      }
      if (i >= 0) {
        disk[i] = diskSeconds;
        full[i] = fullSeconds;
        part[i] = partSeconds;
        idle = idle.plus(before).plus(after);
        busy = busy.plus(during);
      }
    }
    double bytes = (double) mebibytes * (1 << 20);
    var measurements = new ArrayList<Measurement>();
    measurements.add(
        new Measurement(
                "full checkpoint of %d MiB".formatted(mebibytes),
                bytes / median(full) / 1e9,
                "GB/s",
                "plain writes of as many bytes, forced",
                bytes / median(disk) / 1e9)
            .withGoal(Goal.ratioAtLeast(LEAST_OF_DISK)));
    measurements.add(
        new Measurement(
            "checkpoint after a change of 1% of the rows",
            median(part) * 1e3, "ms", "full checkpoint", median(full) * 1e3));
    measurements.add(
        new Measurement(
                "dense training while a checkpoint is written",
                busy.perSecond(),
                "clocks/s",
                "without one",
                idle.perSecond())
            .withGoal(Goal.ratioAtLeast(LEAST_OF_TRAINING)));
    measurements.add(
        new Measurement(
            "time that training loses by such a checkpoint",
            (busy.seconds() - busy.count() / idle.perSecond()) / rounds * 1e3,
            "ms",
            "full checkpoint",
            median(full) * 1e3));
    return measurements;
  }

  private static double median(double[] values) {
    return Rate.median(DoubleStream.of(values));
  }

  private static void rest() {
    try {
      Thread.sleep(500);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void train(WorkerSession session, int rows, float[] gradients) {
    session.add(0, 0, rows, gradients, 0);
    session.tick(1);
    session.awaitQuiet();
  }

  private static CompletableFuture<Void> resting() {
    return CompletableFuture.runAsync(CheckpointCost::rest);
  }

  /// Clocks, and the time that they took.
  private record Clocks(int count, double seconds) {
    private static final Clocks NONE = new Clocks(0, 0);

    Clocks plus(Clocks more) {
      return new Clocks(count + more.count, seconds + more.seconds);
    }

    double perSecond() {
      return count / seconds;
    }
  }

  private static Clocks trainDuring(
      WorkerSession session, int rows, float[] gradients, CompletableFuture<Void> until) {
    long start = System.nanoTime();
    int clocks = 0;
    do {
      train(session, rows, gradients);
      clocks++;
    } while (!until.isDone());
    until.join();
    return new Clocks(clocks, (System.nanoTime() - start) / 1e9);
  }

  private static double checkpointSeconds(WorkerSession session, Path file) {
    long start = System.nanoTime();
    session.checkpoint(ROOT, file).join();
    return (System.nanoTime() - start) / 1e9;
  }

  private double plainWriteSeconds(Path file) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(WRITE_BYTES);
    long start = System.nanoTime();
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.TRUNCATE_EXISTING)) {
      for (long left = (long) mebibytes << 20; left > 0; left -= WRITE_BYTES) {
        bytes.clear();
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
      channel.force(true);
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    Files.delete(file);
    return seconds;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
