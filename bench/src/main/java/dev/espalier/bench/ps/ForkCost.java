package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// What a fork of a large table costs, beside the copy that a fork without shared pages would be.
///
/// @param mebibytes size of the table
/// @param forks how many rounds of forks to take the median of
public record ForkCost(int mebibytes, int forks) implements Benchmark {
  private static final long ALIGNMENT = 4096;
  private static final int COPIES = 9;
  private static final double MOST_MICROS = 1000;

  @Override
  public String title() {
    return "fork of a table of " + size();
  }

  private String size() {
    return mebibytes % 1024 == 0 ? mebibytes / 1024 + " GiB" : mebibytes + " MiB";
  }

  @Override
  public List<Measurement> measure() {
    ForkRounds.Medians medians = ForkRounds.measure(mebibytes, forks);
    double copyMicros = copyMicros();
    return List.of(
        beside(copyMicros, "fork of a " + size() + " table", medians.forkMicros()),
        beside(copyMicros, "free of a fork that wrote nothing", medians.freeUnwrittenMicros()),
        beside(copyMicros, "free of a fork that wrote every page", medians.freeWrittenMicros()));
  }

  private Measurement beside(double copyMicros, String name, double micros) {
    return new Measurement(name, micros, "us", "memory copy of " + size(), copyMicros)
        .withGoal(Goal.valueAtMost(MOST_MICROS));
  }

  /// Both sides were touched before, so no page of the operating system is made while it copies.
  private double copyMicros() {
    long sizeBytes = (long) mebibytes << 20;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 1);
      MemorySegment target = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 2);
      return medianMicros(() -> target.copyFrom(source));
    }
  }

  private static double medianMicros(Supplier<?> work) {
    return Rate.median(
        IntStream.range(0, COPIES)
            .mapToDouble(_ -> {
              long start = System.nanoTime();
              Objects.requireNonNull(work.get());
              return (System.nanoTime() - start) / 1e3;
            }));
  }
}
