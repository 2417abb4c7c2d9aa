package dev.espalier.tuner.rest;

import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/// How often somebody may do something; one bucket for each.
final class RateLimits {
  private static final int MAX_BUCKETS = 10_000;

  private final int capacity;
  private final int refill;
  private final Duration period;
  private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();

  RateLimits(int capacity, int refill, Duration period) {
    this.capacity = capacity;
    this.refill = refill;
    this.period = period;
  }

  /// {@return seconds to wait; 0 when it may be done now, which counts}
  int secondsToWait(String who) {
    var probe = bucket(who).tryConsumeAndReturnRemaining(1);
    return probe.isConsumed() ? 0 : toSeconds(probe.getNanosToWaitForRefill());
  }

  private Bucket bucket(String who) {
    if (buckets.size() >= MAX_BUCKETS) {
      buckets.clear();
    }
    return buckets.computeIfAbsent(
        who,
        name ->
            Bucket.builder()
                .addLimit(limit -> limit.capacity(capacity).refillGreedy(refill, period))
                .build());
  }

  private static int toSeconds(long nanos) {
    return (int) Math.max(1, Math.ceilDiv(nanos, 1_000_000_000L));
  }
}
