package dev.espalier.bench;

import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.programs.nn.MultilayerPerceptron;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.boot.TunerServerApplication;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.context.ConfigurableApplicationContext;

/// How fast a server decides: the tuner's core alone, and commits of its log in PostgreSQL.
final class DecisionRates implements Benchmark {
  // However slow they are: the first ones run mostly in the interpreter.
  private static final int FIRST_COMMITS = 300;

  private final Scale scale;

  DecisionRates(Scale scale) {
    this.scale = scale;
  }

  @Override
  public String title() {
    return "decisions of the server";
  }

  /// A step of a session with what followed.
  private record Step(SessionEvent event, List<SessionEffect> effects) {}

  @Override
  public List<Measurement> measure() throws IOException, SQLException {
    List<SessionEvent> events = SimulatedJob.events();
    List<Step> steps = steps(events);
    long decided = steps.stream().mapToLong(step -> decisions(step.effects())).sum();
    double replays = scale.rate().perSecond(() -> replay(events)) / events.size();
    Path home = Files.createTempDirectory("espalier-bench");
    try (ConfigurableApplicationContext server =
        TunerServerApplication.start(
            "--espalier.home=" + home, "--espalier.http.port=0", "--espalier.grpc.port=0")) {
      double trips = roundTrips(server.getBean(DataSource.class));
      double commits = commits(server, steps);
      double decisionsPerCommit = (double) decided / steps.size();
      return List.of(
          new Measurement(
              "events the tuner's core takes",
              replays * events.size(),
              "1/s",
              "commits to the log, one event each",
              commits),
          new Measurement(
              "decisions the tuner's core makes",
              replays * decided,
              "1/s",
              "decisions through the log",
              commits * decisionsPerCommit),
          new Measurement(
              "commits to the log in PostgreSQL",
              commits,
              "1/s",
              "bare select 1 on one connection",
              trips));
    } finally {
      ServerProcess.deleteTree(home);
    }
  }

  private static List<Step> steps(List<SessionEvent> events) {
    TuningSession session = Policies.open(SimulatedJob.PLAN);
    session.start();
    var steps = new ArrayList<Step>();
    events.forEach(event -> steps.add(new Step(event, session.step(event))));
    return steps;
  }

  private static long decisions(List<SessionEffect> effects) {
    return effects.stream().filter(SessionEffect.Decide.class::isInstance).count();
  }

  private static long replay(List<SessionEvent> events) {
    TuningSession session = Policies.open(SimulatedJob.PLAN);
    session.start();
    events.forEach(session::step);
    if (!session.isEnded()) {
      throw new IllegalStateException("a replay of all events must end the job");
    }
    return events.size();
  }

  private double roundTrips(DataSource database) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement select = connection.prepareStatement("select 1")) {
      return scale
          .rate()
          .perSecond(() -> {
            try (var row = select.executeQuery()) {
              return row.next() ? 1 : 0;
            } catch (SQLException e) {
              throw new IllegalStateException(e);
            }
          });
    }
  }

  private double commits(ConfigurableApplicationContext server, List<Step> steps) {
    var writer = new Writer(server.getBean(JobStore.class), server.getBean(EventLog.class), steps);
    for (int i = 0; i < FIRST_COMMITS; i++) {
      writer.commit();
    }
    return scale.rate().perSecond(writer::commit);
  }

  /// Writes the steps of one job after the other, one commit a step.
  private static final class Writer {
    private final JobStore jobs;
    private final EventLog log;
    private final List<Step> steps;
    private final JobSpec spec = spec();
    private final Map<Integer, Double> branchSeconds = new HashMap<>();
    private String job = "";
    private int jobCount;
    private int next;

    Writer(JobStore jobs, EventLog log, List<Step> steps) {
      this.jobs = jobs;
      this.log = log;
      this.steps = steps;
    }

    private static JobSpec spec() {
      return JobSpecReader.read(
              Map.of("name", "bench", "program", "mlp"),
              _ -> Optional.of(new MultilayerPerceptron().describe()))
          .spec()
          .orElseThrow();
    }

    long commit() {
      if (next == 0) {
        job = "job_bench" + ++jobCount;
        jobs.create(new JobStore.StoredJob(job, spec), "bench", Optional.empty());
        branchSeconds.clear();
      }
      Step step = steps.get(next);
      log.append(
          new EventLog.Commit(
              job, next + 1, List.of(step.event()), step.effects(), points(step.event())));
      next = (next + 1) % steps.size();
      return 1;
    }

    private List<EventLog.MetricPoint> points(SessionEvent event) {
      if (!(event instanceof SessionEvent.Progressed progress)) {
        return List.of();
      }
      int branch = progress.branch().number();
      double seconds = branchSeconds.getOrDefault(branch, 0.0);
      var points = new ArrayList<EventLog.MetricPoint>();
      for (int i = 0; i < progress.losses().size(); i++) {
        seconds += progress.seconds().get(i);
        points.add(
            new EventLog.MetricPoint(
                branch, progress.fromClock() + i, seconds, progress.losses().get(i)));
      }
      branchSeconds.put(branch, seconds);
      return points;
    }
  }
}
