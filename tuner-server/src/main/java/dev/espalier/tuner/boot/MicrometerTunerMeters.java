package dev.espalier.tuner.boot;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.Stalls;
import dev.espalier.tuner.app.port.TunerMeters;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/// Meters of the tuner, under `espalier.`; gauges of a job go when it ends.
final class MicrometerTunerMeters implements TunerMeters {
  private static final Duration STATES_KEPT = Duration.ofSeconds(5);

  private final MeterRegistry registry;
  private final JobQueries queries;
  private final InstantSource clock;
  private final Counter rounds;
  private final Counter clocks;
  private final Timer forks;
  private final Timer reports;
  private final Map<String, JobGauges> jobs = new ConcurrentHashMap<>();
  private final AtomicReference<States> states =
      new AtomicReference<>(new States(Instant.EPOCH, Map.of()));

  MicrometerTunerMeters(
      MeterRegistry registry, JobQueries queries, Stalls stalls, InstantSource clock) {
    this.registry = registry;
    this.queries = queries;
    this.clock = clock;
    rounds =
        Counter.builder("espalier.rounds").description("Tuning rounds started").register(registry);
    clocks =
        Counter.builder("espalier.clocks")
            .description("Clocks finished by all workers of a job")
            .register(registry);
    forks =
        Timer.builder("espalier.fork")
            .description("Time a worker took to fork a branch")
            .register(registry);
    reports =
        Timer.builder("espalier.report.latency")
            .description("Time from a report's arrival to the moment its commands left")
            .register(registry);
    Gauge.builder("espalier.jobs.stalled", stalls, Stalls::count)
        .description(
            "Jobs that stand still, for their log cannot be written or their workers cannot be started")
        .register(registry);
    for (JobState state : JobState.values()) {
      Gauge.builder("espalier.jobs", () -> countOf(state))
          .description("Jobs by state")
          .tag("state", state.name())
          .register(registry);
    }
  }

  @Override
  public void roundStarted(String job) {
    rounds.increment();
  }

  @Override
  public void clocks(String job, long count) {
    clocks.increment(count);
  }

  @Override
  public void forked(double seconds) {
    forks.record((long) (seconds * 1e9), TimeUnit.NANOSECONDS);
  }

  @Override
  public void reportLatency(double seconds) {
    reports.record((long) (seconds * 1e9), TimeUnit.NANOSECONDS);
  }

  @Override
  public void branches(String job, int live) {
    jobs.computeIfAbsent(job, JobGauges::new).branches = live;
  }

  @Override
  public void tuningShare(String job, double share) {
    jobs.computeIfAbsent(job, JobGauges::new).share = share;
  }

  @Override
  public void ended(String job) {
    JobGauges gone = jobs.remove(job);
    if (gone != null) {
      registry.remove(gone.branchGauge);
      registry.remove(gone.shareGauge);
    }
  }

  /// A scrape reads all states at one moment, with one query.
  private double countOf(JobState state) {
    Instant now = clock.instant();
    States known = states.get();
    if (known.readTime.plus(STATES_KEPT).isBefore(now)) {
      try {
        known = new States(now, queries.jobsByState());
      } catch (EspalierException e) {
        known = new States(now, Map.of());
      }
      states.set(known);
    }
    return known.counts.getOrDefault(state, 0L);
  }

  private record States(Instant readTime, Map<JobState, Long> counts) {}

  private final class JobGauges {
    private volatile int branches;
    private volatile double share;
    private final Gauge branchGauge;
    private final Gauge shareGauge;

    JobGauges(String job) {
      branchGauge =
          Gauge.builder("espalier.branches.live", () -> branches)
              .description("Branches that the workers of a job hold")
              .tag("job", job)
              .register(registry);
      shareGauge =
          Gauge.builder("espalier.tuning.share", () -> share)
              .description("Tuning seconds over all branch seconds of a job")
              .tag("job", job)
              .register(registry);
    }
  }
}
