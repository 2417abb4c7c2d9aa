package dev.espalier.bench;

import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.sdk.TrainingProgram;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/// Clocks per second of whole jobs: a server, worker processes, parameters over the network stack.
///
/// The rate is taken from the job's own reports over the second half of its training, when the
/// workers' code is compiled.
final class JobRates implements Benchmark {
  private static final int POLL_MILLIS = 250;
  private static final int BUCKETS = 100;
  private static final int PATIENCE_SECONDS = 180;

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
        double one = clocksPerSecond(server.client(), name, 1);
        double two = clocksPerSecond(server.client(), name, 2);
        measurements.add(
            new Measurement(
                name + ", job with 2 worker processes", two, "clocks/s", "job with 1 worker", one));
      }
      return measurements;
    } finally {
      ServerProcess.deleteTree(folder);
    }
  }

  private double clocksPerSecond(TunerClient client, String program, int workers)
      throws InterruptedException {
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
                    Map.of("maxTime", scale.jobSeconds() + "s", "maxEpochs", 1_000_000)))
            .path("id")
            .asString();
    JobView ended = awaitEnd(client, job);
    SeriesView series =
        client.get(
            "/jobs/" + job + "/branches/" + ended.mainlineBranch() + "/metrics?points=" + BUCKETS,
            SeriesView.class);
    return rateOfSecondHalf(series.buckets());
  }

  private static JobView awaitEnd(TunerClient client, String job) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE_SECONDS * 1_000_000_000L;
    JobView view = client.job(job);
    while (!view.state().isTerminal()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException(
            "the job did not end within " + PATIENCE_SECONDS + " s: " + view.message());
      }
      Thread.sleep(POLL_MILLIS);
      view = client.job(job);
    }
    return view;
  }

  private static double rateOfSecondHalf(List<SeriesView.Bucket> buckets) {
    if (buckets.size() < 4) {
      throw new IllegalStateException("the job ran too few clocks: " + buckets.size());
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
