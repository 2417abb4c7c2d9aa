package dev.espalier.bench.programs;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rounds;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/// How far two cores are from each other, in time: what threads that share rows have to pay.
///
/// A virtual machine's cores may lie beside each other or on different chips, now so and now so.
///
/// @param rounds of which the median counts
public record CoreDistance(Rounds rounds) implements Benchmark {
  private static final int EXCHANGES = 200_000;

  @Override
  public String title() {
    return "a cache line between two cores";
  }

  @Override
  public List<Measurement> measure() throws ExecutionException, InterruptedException {
    var line = new AtomicInteger();
    IntConsumer exchange =
        thread -> {
          for (int i = 0; i < EXCHANGES; i++) {
            while ((line.getAcquire() & 1) != thread) {
              Thread.onSpinWait();
            }
            line.setRelease(line.getPlain() + 1);
          }
        };
    double seconds = rounds.medianSeconds(2, List.of(exchange))[0];
    return List.of(
        new Measurement(
            "a cache line from core to core and back", seconds / EXCHANGES * 1e9, "ns", "none", 0));
  }
}
