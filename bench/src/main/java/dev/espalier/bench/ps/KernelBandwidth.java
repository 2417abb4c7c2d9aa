package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
import dev.espalier.ps.kernel.StepKernels;
import dev.espalier.ps.kernel.StepSpan;
import dev.espalier.ps.optim.RuleOptions;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.optim.UpdateRule;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.function.IntConsumer;

/// How near dense update rules come to the memory bandwidth of a plain copy in the same rounds.
///
/// An element of a rule with `k` state arrays reads `4 (k + 1)` bytes of parameters and state and 4
/// of the gradient, and writes `4 (k + 1)`. A copied element reads 4 bytes and writes 4.
///
/// Rules work page by page, as the store does. A step in place, and one to fresh pages past the
/// caches, stand beside one copy of everything, which writes past the caches; a step to fresh pages
/// with ordinary stores beside a copy to fresh pages, page by page: both must first read what they
/// overwrite, since the JVM has no stores past the caches but in copies of more than 2.5 MB.
///
/// @param mebibytes size of the parameters of each thread
/// @param rounds how often to measure
record KernelBandwidth(int mebibytes, Rounds rounds) implements Benchmark {
  private static final long ALIGNMENT = 4096;
  private static final long PAGE_BYTES = 256 << 10;
  private static final int[] THREADS = {1, 2};
  private static final int MAX_PLANES = 4;
  private static final long CACHE_LINE = 64;
  private static final double LEAST_SHARE = 0.8;

  /// Where a step writes, and how.
  private enum Way {
    IN_PLACE("in place"),
    OUT_OF_PLACE("out of place"),
    PAST_CACHES("past the caches");

    private final String text;

    Way(String text) {
      this.text = text;
    }
  }

  /// The memory of one thread.
  private record Memory(MemorySegment from, MemorySegment to, float[] gradient) {}

  @Override
  public String title() {
    return "update rules against a plain copy";
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    var measurements = new ArrayList<Measurement>();
    for (int threads : THREADS) {
      try (Arena arena = Arena.ofShared()) {
        var memories = new ArrayList<Memory>();
        for (int thread = 0; thread < threads; thread++) {
          memories.add(memory(arena));
        }
        measure(memories, measurements);
      }
    }
    return measurements;
  }

  private Memory memory(Arena arena) {
    long planeBytes = (long) mebibytes << 20;
    return new Memory(
        arena.allocate(MAX_PLANES * planeBytes + PAGE_BYTES, ALIGNMENT).fill((byte) 0),
        arena.allocate(MAX_PLANES * planeBytes + PAGE_BYTES, ALIGNMENT).fill((byte) 0),
        new float[(int) (planeBytes / Float.BYTES)]);
  }

  private void measure(List<Memory> memories, List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    long bytes = (long) mebibytes << 20;
    var work = new ArrayList<IntConsumer>();
    var names = new ArrayList<String>();
    var bytesMoved = new ArrayList<Long>();
    work.add(thread -> copy(memories.get(thread), bytes, bytes));
    names.add("copy at once");
    bytesMoved.add(2 * bytes);
    work.add(thread -> copy(memories.get(thread), bytes, PAGE_BYTES));
    names.add("copy page by page");
    bytesMoved.add(2 * bytes);
    for (String name : UpdateRule.names()) {
      UpdateRule rule = UpdateRule.named(name, RuleOptions.defaultsOf(name));
      for (Way way : Way.values()) {
        work.add(thread -> step(rule, memories.get(thread), way));
        names.add(name + ", " + way.text);
        bytesMoved.add(bytes * (2L * (rule.stateArrays() + 1) + 1));
      }
    }
    double[] seconds = rounds.medianSeconds(memories.size(), work);
    String threads = memories.size() == 1 ? "1 thread" : memories.size() + " threads";
    double[] rates = new double[seconds.length];
    for (int i = 0; i < rates.length; i++) {
      rates[i] = gigabytes(bytesMoved.get(i) * memories.size(), seconds[i]);
    }
    measurements.add(
        new Measurement(
            names.get(1) + ", " + threads, rates[1], "GB/s", names.getFirst(), rates[0]));
    Way[] ways = Way.values();
    for (int i = 2; i < rates.length; i++) {
      int copy = ways[(i - 2) % ways.length] == Way.OUT_OF_PLACE ? 1 : 0;
      measurements.add(
          new Measurement(
                  "%s, %s (%d B an element)"
                      .formatted(names.get(i), threads, bytesMoved.get(i) / (bytes / Float.BYTES)),
                  rates[i],
                  "GB/s",
                  names.get(copy) + " (8 B)",
                  rates[copy])
              .withGoal(Goal.ratioAtLeast(LEAST_SHARE)));
    }
  }

  private static void copy(Memory memory, long bytes, long pieceBytes) {
    for (long at = 0; at < bytes; at += pieceBytes) {
      MemorySegment.copy(memory.from(), at, memory.to(), at, pieceBytes);
    }
  }

  /// One step over all parameters, page by page.
  private void step(UpdateRule rule, Memory memory, Way way) {
    RowKernels best = RowKernelsProvider.best();
    StepKernels<StepSpan> kernels = way == Way.PAST_CACHES ? best.streaming() : best;
    long planeBytes = PAGE_BYTES / (rule.stateArrays() + 1) / CACHE_LINE * CACHE_LINE;
    int floats = (int) (planeBytes / Float.BYTES);
    StepSize stepSize = StepSize.of(1e-3);
    long page = 0;
    for (int first = 0; first < memory.gradient().length; first += floats) {
      rule.step(
          kernels,
          new StepSpan(
              memory.from(),
              way == Way.IN_PLACE ? memory.from() : memory.to(),
              page,
              planeBytes,
              memory.gradient(),
              first,
              1,
              Math.min(floats, memory.gradient().length - first),
              null),
          stepSize,
          1);
      page += PAGE_BYTES;
    }
  }

  private static double gigabytes(long bytes, double seconds) {
    return bytes / seconds / 1e9;
  }
}
