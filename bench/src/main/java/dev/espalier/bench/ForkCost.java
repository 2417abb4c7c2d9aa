package dev.espalier.bench;

import dev.espalier.cli.client.Json;
import dev.espalier.ps.ForkBenchmark;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import tools.jackson.databind.JsonNode;

/// What a fork of a large table costs, beside the copy that a fork without shared pages would be.
final class ForkCost implements Benchmark {
  private static final long ALIGNMENT = 4096;
  private static final int COPIES = 5;

  private final Scale scale;

  ForkCost(Scale scale) {
    this.scale = scale;
  }

  @Override
  public String title() {
    return "fork of a table of " + scale.tableSize();
  }

  @Override
  public List<Measurement> measure() {
    JsonNode fork = Json.parse(ForkBenchmark.run(scale.tableMebibytes(), scale.forks()));
    double copyMicros = copyMicros();
    String size = scale.tableSize();
    String copy = "memory copy of " + size;
    return List.of(
        new Measurement(
            "fork of a " + size + " table",
            number(fork, "forkMicrosMedian"),
            "us",
            copy,
            copyMicros),
        new Measurement(
            "free of a fork that wrote nothing",
            number(fork, "freeUnwrittenMicrosMedian"),
            "us",
            copy,
            copyMicros),
        new Measurement(
            "free of a fork that wrote every page",
            number(fork, "freeWrittenMicrosMedian"),
            "us",
            copy,
            copyMicros),
        new Measurement(
            "first dense clock after a fork",
            number(fork, "firstClockMillisMedian"),
            "ms",
            "dense clocks after it",
            number(fork, "otherClockMillisMedian")));
  }

  private static double number(JsonNode document, String name) {
    return document.path(name).asDouble(Double.NaN);
  }

  /// Both sides were touched before, so no page of the operating system is made while it copies.
  private double copyMicros() {
    long sizeBytes = (long) scale.tableMebibytes() << 20;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 1);
      MemorySegment target = arena.allocate(sizeBytes, ALIGNMENT).fill((byte) 2);
      double[] micros =
          IntStream.range(0, COPIES)
              .mapToDouble(_ -> {
                long start = System.nanoTime();
                target.copyFrom(source);
                return (System.nanoTime() - start) / 1e3;
              })
              .toArray();
      return Rate.median(DoubleStream.of(micros));
    }
  }
}
