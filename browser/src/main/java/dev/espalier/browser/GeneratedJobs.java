package dev.espalier.browser;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.RoundTrigger;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.model.Verdict;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.EventLog.MetricPoint;
import dev.espalier.tuner.app.port.EventPublisher;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.springframework.jdbc.core.JdbcTemplate;

/// Jobs of any size, written through the server's own log, as their runners would have written
/// them; no worker ever ran them.
public final class GeneratedJobs {
  private static final int WINDOWS = 10;
  private static final int POINTS_PER_COMMIT = 5_000;
  private static final double CLOCK_SECONDS = 0.01;
  private static final int EPOCHS = 100;

  /// How often in a round the mainline says how far it is.
  private static final int REPORTS = 8;

  private final LocalServer server;
  private final EventLog log;
  private final Map<String, Long> events = new HashMap<>();
  private final Map<String, Long> clocks = new HashMap<>();
  private int made;

  /// @param server that the jobs are written into
  public GeneratedJobs(LocalServer server) {
    this.server = server;
    this.log = server.bean(EventLog.class);
  }

  /// How large a job is.
  ///
  /// @param rounds rounds of tuning, >= 1
  /// @param trials branches of each round, >= 1
  /// @param trialClocks clocks of each trial
  /// @param mainlineClocks clocks that each winner trains on
  public record Size(int rounds, int trials, int trialClocks, int mainlineClocks) {
    /// A thousand branches and a million points.
    public static final Size LARGE = new Size(40, 25, 400, 15_000);

    /// A thousand branches with fewer points, for tests.
    public static final Size MANY_BRANCHES = new Size(40, 25, 20, 200);

    /// What fits on a screen.
    public static final Size SMALL = new Size(3, 12, 60, 400);

    /// {@return how many points the job has}
    public long points() {
      return (long) rounds * (trials * (long) trialClocks + mainlineClocks);
    }
  }

  /// Writes a job that looks as if it had run up to now.
  ///
  /// @return its id
  public String write(String name, Size size, JobState state) {
    String job = create(name);
    new Run(job, size).write(state);
    return job;
  }

  /// Writes a job that ended before it began.
  ///
  /// @return its id
  public String fail(String name, String why) {
    String job = create(name);
    commit(job, 1, List.of(), List.of(shown(JobState.FAILED, "INVALID_DATA", why)), List.of());
    return job;
  }

  private String create(String name) {
    ProgramRegistry programs = server.bean(ProgramRegistry.class);
    JobSpec spec =
        JobSpecReader.read(
                Map.of(
                    "name",
                    name,
                    "program",
                    "mlp",
                    "workers",
                    2,
                    "stop",
                    Map.of("maxEpochs", EPOCHS)),
                programs::find)
            .spec()
            .orElseThrow();
    String job = "job_%022x".formatted(++made);
    server
        .bean(JobStore.class)
        .create(new JobStore.StoredJob(job, spec), "token:generator", Optional.empty());
    return job;
  }

  /// Copies a job's row many times over, under other names and states.
  public void copy(String job, int times) {
    var sql = new JdbcTemplate(server.bean(DataSource.class));
    List<String> columns =
        sql.query(
            "select column_name from information_schema.columns where table_name = 'job'"
                + " and column_name not in ('job_id', 'position', 'name', 'state') order by 1",
            (row, number) -> row.getString(1));
    String others = String.join(", ", columns);
    sql.update(
        "insert into job (job_id, name, state, "
            + others
            + ") select 'job_' || lpad(to_hex(copy + 1000000), 22, '0'), 'sweep ' || copy,"
            + " (array['COMPLETED', 'COMPLETED', 'FAILED', 'CANCELED'])[1 + copy % 4], "
            + others
            + " from job, generate_series(1, ?) as copy where job_id = ?",
        times,
        job);
  }

  /// Lets a generated job's mainline run on: tells viewers of its next clocks.
  ///
  /// @param amount of clocks
  public void runOn(String job, Size size, int amount) {
    var branch = new BranchId(size.rounds() * size.trials());
    long start = size.mainlineClocks() + size.trialClocks();
    long first = clocks.merge(job, start + amount, (before, _) -> before + amount) - amount;
    long sequence = nextEvent(job);
    var random = new SplittableRandom(sequence);
    List<Double> losses = new ArrayList<>();
    List<Double> seconds = new ArrayList<>();
    List<MetricPoint> points = new ArrayList<>();
    for (int i = 0; i < amount; i++) {
      double loss = 0.2 + 0.02 * random.nextDouble();
      losses.add(loss);
      seconds.add(CLOCK_SECONDS);
      points.add(
          new MetricPoint(branch.number(), first + i, (first + i + 1) * CLOCK_SECONDS, loss));
    }
    var progress = new SessionEvent.Progressed(0, branch, first, losses, seconds);
    commit(job, sequence, List.of(progress), List.of(), points);
  }

  private long nextEvent(String job) {
    return events.merge(job, 1L, Long::sum);
  }

  private void commit(
      String job,
      long sequence,
      List<SessionEvent> events,
      List<SessionEffect> effects,
      List<MetricPoint> points) {
    server
        .bean(EventPublisher.class)
        .publish(log.append(new EventLog.Commit(job, sequence, events, effects, points)));
  }

  private static SessionEffect shown(JobState state, String reason, String message) {
    return new SessionEffect.JobChanged(state, reason, message, "");
  }

  /// One job on its way.
  private final class Run {
    private final String job;
    private final Size size;
    private final SplittableRandom random = new SplittableRandom(42);
    private final List<SessionEffect> effects = new ArrayList<>();
    private final List<MetricPoint> points = new ArrayList<>();
    private long mainlineClock;
    private int mainline;
    private int branches = 1;
    private double loss = 3;
    private Setting adopted = Setting.EMPTY;

    Run(String job, Size size) {
      this.job = job;
      this.size = size;
    }

    void write(JobState state) {
      Setting first = setting(0.01, 64);
      effects.add(branch(0, -1, BranchKind.MAINLINE, 0, first, BranchState.KEPT, 0, 0));
      effects.add(new SessionEffect.ScheduleChanged(0, 0, first, BranchId.ROOT));
      for (int round = 1; round <= size.rounds(); round++) {
        double before = loss;
        round(round);
        flush();
        report(before);
      }
      effects.add(new SessionEffect.TimeSpent(420, 1800, 35));
      effects.add(shown(state, "training", "Training with " + words(adopted)));
      flush();
    }

    private void round(int round) {
      int winner = branches + size.trials() - 1;
      double best = 0.1 * loss / (size.trialClocks() * CLOCK_SECONDS);
      for (int i = 0; i < size.trials(); i++) {
        trial(round, branches++, i == size.trials() - 1, best);
      }
      adopted = setting(0.5 / (round + 4), 32L << (round % 4));
      effects.add(
          branch(
              winner,
              mainline,
              BranchKind.MAINLINE,
              round,
              adopted,
              BranchState.KEPT,
              size.trialClocks() + size.mainlineClocks(),
              best));
      effects.add(new SessionEffect.ScheduleChanged(mainlineClock, round, adopted, id(winner)));
      effects.add(
          new SessionEffect.RoundChanged(
              round,
              round == 1 ? RoundTrigger.INITIAL : RoundTrigger.RETUNE,
              "ended",
              id(mainline),
              size.trials(),
              size.trials(),
              size.trialClocks() * CLOCK_SECONDS,
              Optional.of(id(winner)),
              "Adopted branch #" + winner + ": all " + size.trials() + " trials are used"));
      decide(round, winner, "adopt", "Adopted branch #" + winner, best);
      double start = loss;
      loss = Math.max(0.2, loss * 0.93);
      trace(winner, size.trialClocks() + size.mainlineClocks(), start, loss, 0.05);
      mainline = winner;
      mainlineClock += size.trialClocks() + size.mainlineClocks();
      effects.add(
          new SessionEffect.MainlineEvaluated(
              id(winner),
              mainlineClock,
              round,
              mainlineClock * CLOCK_SECONDS,
              Map.of("accuracy", 1 - loss / 4, "loss", loss * 1.1)));
      effects.add(
          new SessionEffect.SnapshotChanged(
              round,
              id(winner),
              mainlineClock,
              round,
              adopted,
              round > size.rounds() - 3 ? SnapshotState.READY : SnapshotState.DROPPED,
              88_458_000,
              false));
    }

    /// Says how the mainline fared since it was forked, as its workers would have.
    private void report(double before) {
      int all = size.trialClocks() + size.mainlineClocks();
      for (int i = 1; i <= REPORTS; i++) {
        double now =
            loss + (before - loss) * Math.exp(-5.0 * i / REPORTS) + 0.02 * random.nextDouble();
        var progress =
            new SessionEvent.Progressed(
                0,
                id(mainline),
                (long) all * i / REPORTS - 1,
                List.of(now),
                List.of(CLOCK_SECONDS));
        commit(job, nextEvent(job), List.of(progress), List.of(), List.of());
      }
    }

    private void trial(int round, int number, boolean wins, double best) {
      double share = wins ? 1 : random.nextDouble(-0.2, 0.95);
      Setting tried = setting(Math.pow(10, random.nextDouble(-4, 0)), 32L << random.nextInt(4));
      BranchState state = share < -0.1 ? BranchState.FAILED : BranchState.DISCARDED;
      if (!wins) {
        effects.add(
            branch(
                number,
                mainline,
                BranchKind.TRIAL,
                round,
                tried,
                state,
                size.trialClocks(),
                best * share));
        trace(number, size.trialClocks(), loss, loss * (1 - 0.07 * share), share < 0 ? 0.3 : 0.06);
        decide(
            round, number, "trial-" + number, "Trial " + number + " is not faster", best * share);
      }
    }

    private void decide(int round, int branch, String key, String outcome, double speed) {
      effects.add(
          new SessionEffect.Decide(
              new Decision(
                  "round-" + round + "/" + key,
                  "mltuner.fastest-trial",
                  outcome,
                  "policy",
                  round,
                  Map.of("branch", (long) branch, "speed", Math.max(0, speed)))));
    }

    private void trace(int branch, int clocks, double from, double to, double noise) {
      for (int clock = 0; clock < clocks; clock++) {
        double value =
            to
                + (from - to) * Math.exp(-5.0 * clock / clocks)
                + noise * (random.nextDouble() - 0.5);
        points.add(new MetricPoint(branch, clock, (clock + 1) * CLOCK_SECONDS, value));
        if (points.size() >= POINTS_PER_COMMIT) {
          flush();
        }
      }
    }

    private SessionEffect branch(
        int number,
        int parent,
        BranchKind kind,
        int round,
        Setting setting,
        BranchState state,
        int clocks,
        double speed) {
      return new SessionEffect.BranchChanged(
          id(number),
          parent < 0 ? Optional.empty() : Optional.of(id(parent)),
          kind,
          round,
          setting,
          state,
          TrainingStart.FIRST,
          mainlineClock,
          clocks,
          clocks * CLOCK_SECONDS,
          round == 0 ? Optional.empty() : Optional.of(summary(state, speed)),
          Double.NaN,
          Optional.empty(),
          Optional.empty());
    }

    private ProgressSummary summary(BranchState state, double speed) {
      double seconds = size.trialClocks() * CLOCK_SECONDS;
      double fall = state == BranchState.FAILED ? -40 : speed * seconds;
      List<Double> means = new ArrayList<>();
      List<Double> times = new ArrayList<>();
      for (int i = 0; i <= WINDOWS; i++) {
        double wiggle = i == 0 ? 0 : 0.01 * loss * (random.nextDouble() - 0.5);
        means.add(loss - fall * i / WINDOWS + wiggle);
        times.add(seconds * i / WINDOWS);
      }
      Verdict verdict =
          state == BranchState.FAILED
              ? Verdict.DIVERGED
              : fall > 0.04 * loss ? Verdict.CONVERGING : Verdict.UNSTABLE;
      return new ProgressSummary(
          verdict,
          Math.max(0, speed * 0.9),
          Math.max(0, speed),
          0.1 * Math.abs(fall),
          -fall,
          seconds,
          means,
          times);
    }

    private void flush() {
      commit(job, events.getOrDefault(job, 0L) + 1, List.of(), effects, points);
      effects.clear();
      points.clear();
    }

    private static String words(Setting setting) {
      return setting.values().entrySet().stream()
          .map(one -> String.format(Locale.ROOT, "%s %.3g", one.getKey(), one.getValue()))
          .collect(Collectors.joining(", "));
    }

    private BranchId id(int number) {
      return new BranchId(number);
    }

    private Setting setting(double learningRate, long batchSize) {
      return Setting.of(
          Map.of("learningRate", learningRate, "batchSize", (double) batchSize, "momentum", 0.9));
    }
  }
}
