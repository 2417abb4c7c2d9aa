package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import dev.espalier.ps.kernel.RowKernels;
import dev.espalier.ps.kernel.RowKernelsProvider;
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
/// @param mebibytes size of the parameters of each thread
/// @param rounds how often to measure
record KernelBandwidth(int mebibytes, Rounds rounds) implements Benchmark {
  private static final long ALIGNMENT = 4096;
  private static final int SPAN_FLOATS = 16 << 10;
  private static final int[] THREADS = {1, 2};
  private static final int MAX_PLANES = 4;
  private static final double LEAST_SHARE = 0.8;

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
        arena.allocate(MAX_PLANES * planeBytes, ALIGNMENT).fill((byte) 0),
        arena.allocate(MAX_PLANES * planeBytes, ALIGNMENT).fill((byte) 0),
        new float[(int) (planeBytes / Float.BYTES)]);
  }

  private void measure(List<Memory> memories, List<Measurement> measurements)
      throws ExecutionException, InterruptedException {
    long bytes = (long) mebibytes << 20;
    var work = new ArrayList<IntConsumer>();
    var names = new ArrayList<String>();
    var bytesMoved = new ArrayList<Long>();
    work.add(thread -> copy(memories.get(thread), bytes));
    names.add("copy");
    bytesMoved.add(2 * bytes);
    for (String name : UpdateRule.names()) {
      UpdateRule rule = UpdateRule.named(name, RuleOptions.defaultsOf(name));
      work.add(thread -> step(rule, memories.get(thread), true));
      names.add(name + ", in place");
      bytesMoved.add(bytes * (2L * (rule.stateArrays() + 1) + 1));
      work.add(thread -> step(rule, memories.get(thread), false));
      names.add(name + ", out of place");
      bytesMoved.add(bytes * (2L * (rule.stateArrays() + 1) + 1));
    }
    double[] seconds = rounds.medianSeconds(memories.size(), work);
    double copyRate = gigabytes(bytesMoved.getFirst() * memories.size(), seconds[0]);
    String threads = memories.size() == 1 ? "1 thread" : memories.size() + " threads";
    for (int i = 1; i < seconds.length; i++) {
      measurements.add(
          new Measurement(
                  "%s, %s (%d B an element)"
                      .formatted(names.get(i), threads, bytesMoved.get(i) / (bytes / Float.BYTES)),
                  gigabytes(bytesMoved.get(i) * memories.size(), seconds[i]),
                  "GB/s",
                  "copy, " + threads + " (8 B)",
                  copyRate)
              .withGoal(Goal.ratioAtLeast(LEAST_SHARE)));
    }
  }

  private static void copy(Memory memory, long bytes) {
    MemorySegment.copy(memory.from(), 0, memory.to(), 0, bytes);
  }

  /// One step over all parameters in spans as large as a page of parameters.
  private void step(UpdateRule rule, Memory memory, boolean inPlace) {
    RowKernels kernels = RowKernelsProvider.best();
    long planeBytes = (long) mebibytes << 20;
    StepSize stepSize = StepSize.of(1e-3);
    for (int first = 0; first < memory.gradient().length; first += SPAN_FLOATS) {
      rule.step(
          kernels,
          new StepSpan(
              memory.from(),
              inPlace ? memory.from() : memory.to(),
              (long) first * Float.BYTES,
              planeBytes,
              memory.gradient(),
              first,
              1,
              Math.min(SPAN_FLOATS, memory.gradient().length - first),
              null),
          stepSize,
          1);
    }
  }

  private static double gigabytes(long bytes, double seconds) {
    return bytes / seconds / 1e9;
  }
}
