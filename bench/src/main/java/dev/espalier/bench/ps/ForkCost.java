package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.memory.StreamingCopy;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// What a fork of a large table costs, beside the copy that a fork without shared pages would be.
///
/// @param mebibytes size of the table
/// @param forks how many rounds of forks to take the median of
public record ForkCost(int mebibytes, int forks) implements Benchmark {
  private static final long ALIGNMENT = 4096;
  private static final long PAGE_BYTES = 256 << 10;
  private static final int COPIES = 9;
  private static final double MOST_MICROS = 1000;
  private static final double MOST_FIRST_CLOCK = 1.05;

  @Override
  public String title() {
    return "fork of a table of " + size();
  }

  private String size() {
    return mebibytes % 1024 == 0 ? mebibytes / 1024 + " GiB" : mebibytes + " MiB";
  }

  @Override
  public List<Measurement> measure() {
    ForkRounds.Medians medians = ForkRounds.measure(mebibytes, "sgd", forks);
    double copyMicros = copyMicros();
    String copy = "memory copy of " + size();
    var measurements = new ArrayList<Measurement>();
    streamedMillis()
        .ifPresent(millis ->
            measurements.add(
                new Measurement(
                    "what it moves, alone: a table past the caches, a gradient read",
                    millis,
                    "ms",
                    "dense clocks after it",
                    medians.otherClockMillis())));
    measurements.addAll(
        0,
        List.of(
            new Measurement(
                    "fork of a " + size() + " table", medians.forkMicros(), "us", copy, copyMicros)
                .withGoal(Goal.valueAtMost(MOST_MICROS)),
            new Measurement(
                    "free of a fork that wrote nothing",
                    medians.freeUnwrittenMicros(),
                    "us",
                    copy,
                    copyMicros)
                .withGoal(Goal.valueAtMost(MOST_MICROS)),
            new Measurement(
                    "free of a fork that wrote every page",
                    medians.freeWrittenMicros(),
                    "us",
                    copy,
                    copyMicros)
                .withGoal(Goal.valueAtMost(MOST_MICROS)),
            new Measurement(
                    "first dense clock after a fork",
                    medians.firstClockMillis(),
                    "ms",
                    "dense clocks after it",
                    medians.otherClockMillis())
                .withGoal(Goal.ratioAtMost(MOST_FIRST_CLOCK))));
    return measurements;
  }

  /// A first clock without its arithmetic: page after page is copied with stores that go past the
  /// caches, and as many bytes of a gradient are read. Empty where there are no such stores.
  private OptionalDouble streamedMillis() {
    Optional<StreamingCopy> streaming = StreamingCopy.ofThisMachine();
    return streaming.isEmpty()
        ? OptionalDouble.empty()
        : OptionalDouble.of(streamedMillis(streaming.get()));
  }

  private double streamedMillis(StreamingCopy streaming) {
    long sizeBytes = (long) mebibytes << 20;
    RowKernels kernels = RowKernelsProvider.best();
    float[] gradient = new float[(int) (sizeBytes / Float.BYTES)];
    int pageFloats = (int) (PAGE_BYTES / Float.BYTES);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 1);
      MemorySegment target = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 2);
      return medianMicros(() -> {
        double read = 0;
        for (long from = 0; from < sizeBytes; from += PAGE_BYTES) {
          int first = (int) (from / Float.BYTES);
          read += kernels.dot(gradient, first, gradient, first, pageFloats);
          streaming.copy(target.address() + from, source.address() + from, PAGE_BYTES);
        }
        streaming.fence();
        return read;
      })
          / 1e3;
    }
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
