package dev.espalier.bench;

import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/// Clocks per second of whole jobs: a server, worker processes, parameters over the network stack.
///
/// Rates are those of the second half of a job, when the workers' code is compiled: of its training
/// time by its own reports, and of the wall clock by how far it says that it is.
final class JobRates implements Benchmark {
  private static final int POLL_MILLIS = 250;
  private static final int BUCKETS = 100;
  private static final int MIN_BUCKETS = 4;
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private final Scale scale;

  JobRates(Scale scale) {
    this.scale = scale;
  }

  @Override
  public String title() {
    return "clocks per second of jobs with worker processes";
  }

  @Override
  public List<Measurement> measure() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("espalier-bench");
    try (ServerProcess server = ServerProcess.start(folder.resolve("home"))) {
      var measurements = new ArrayList<Measurement>();
      for (Supplier<TrainingProgram> program : ClockRates.programs()) {
        String name = program.get().describe().name();
        Rates one = rates(server.client(), name, 1);
        Rates two = rates(server.client(), name, 2);
        measurements.add(
            new Measurement(
                name + ", job with 1 worker, by the wall clock",
                one.ofWallClock,
                "clocks/s",
                "by its training time",
                one.ofTraining));
        measurements.add(
            new Measurement(
                name + ", job with 2 worker processes",
                two.ofTraining,
                "clocks/s",
                "job with 1 worker",
                one.ofTraining));
      }
      return measurements;
    } finally {
      ServerProcess.deleteTree(folder);
    }
  }

  /// Clocks per second over the second half of a job.
  ///
  /// @param ofTraining of the time that its clocks took
  /// @param ofWallClock of all time: evaluations and the tuner's decisions are waited for, too
  private record Rates(double ofTraining, double ofWallClock) {}

  private Rates rates(TunerClient client, String program, int workers) throws InterruptedException {
    String job =
        client
            .post(
                "/jobs",
                Map.of(
                    "name",
                    "bench-" + program,
                    "program",
                    program,
                    "workers",
                    workers,
                    "seed",
                    42,
                    "tuning",
                    Map.of("policy", "fixed"),
                    "stop",
                    Map.of("maxEpochs", 1_000_000)))
            .path("id")
            .asString();
    await(client, job, view -> view.mainlineClock() > 0);
    int seconds = workers == 1 ? scale.jobSeconds() : scale.sharedJobSeconds();
    Duration half = Duration.ofSeconds(seconds).dividedBy(2);
    Thread.sleep(half);
    long middleClock = client.job(job).mainlineClock();
    long middle = System.nanoTime();
    Thread.sleep(half);
    double clocks = client.job(job).mainlineClock() - middleClock;
    double passed = (System.nanoTime() - middle) / 1e9;
    SeriesView series =
        client.get("/jobs/" + job + "/branches/0/metrics?points=" + BUCKETS, SeriesView.class);
    client.post("/jobs/" + job + "/kill");
    await(client, job, view -> view.state().isTerminal());
    return new Rates(rateOfSecondHalf(series.buckets()), clocks / passed);
  }

  private static void await(TunerClient client, String job, Predicate<JobView> condition)
      throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    JobView view = client.job(job);
    while (!condition.test(view)) {
      if (System.nanoTime() > end || view.state().isTerminal()) {
        throw new IllegalStateException(
            view.name()
                + " with workers "
                + view.workers()
                + " came to state "
                + view.state()
                + ", clock "
                + view.mainlineClock()
                + ": "
                + view.message());
      }
      Thread.sleep(POLL_MILLIS);
      view = client.job(job);
    }
  }

  private static double rateOfSecondHalf(List<SeriesView.Bucket> buckets) {
    if (buckets.size() < MIN_BUCKETS) {
      throw new IllegalStateException(
          "the job's clocks must fill at least "
              + MIN_BUCKETS
              + " buckets but fill "
              + buckets.size());
    }
    SeriesView.Bucket last = buckets.getLast();
    SeriesView.Bucket middle =
        buckets.stream()
            .filter(bucket -> bucket.seconds() >= last.seconds() / 2)
            .findFirst()
            .orElse(last);
    return (last.toClock() - middle.toClock()) / (last.seconds() - middle.seconds());
  }
}
