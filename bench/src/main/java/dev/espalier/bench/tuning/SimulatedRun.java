package dev.espalier.bench.tuning;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.bench.frame.ScratchFolder;
import dev.espalier.ps.shard.ShardStats;
import dev.espalier.runtime.branch.LocalCrew;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.policy.job.Endings;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/// One job, from its first event to its end: a policy's session, and the crew that does what it
/// asks.
///
/// Time passes as the cost model says, or as the wall clock does. Under the cost model the result
/// depends on the workload, the policy and the seed alone. Checkpoints are written in the
/// background of a real job and cost nothing here. Not thread safe.
final class SimulatedRun {
  private static final String STOPPED = "stopped at its time";
  private static final int CLOCKS_PER_EVENT = 32;
  private static final long PATIENCE_EVENTS = 5_000_000;
  private static final double OVERTIME = 1.1;

  private final Workload workload;
  private final Contender contender;
  private final CostModel cost;
  private final long seed;
  private final double horizonSeconds;
  private final boolean isWallClock;
  private final Predicate<SimulatedRun> isEnough;
  private final MetricSpec metric;
  private final HeldOut heldOut;
  private final TuningSession session;
  private final Deque<BranchCommand> commands = new ArrayDeque<>();
  private final Deque<SessionEvent> events = new ArrayDeque<>();
  private final Map<BranchId, Life> branches = new LinkedHashMap<>();
  private final List<RunRecord.Quality> qualities = new ArrayList<>();
  private List<ShardStats> shards = List.of();
  private long startNanos;
  private SessionEffect.TimeSpent spent = new SessionEffect.TimeSpent(0, 0, 0);
  private String outcome = "";
  private double seconds;
  private double startQuality = Double.NaN;
  private long eventCount;

  private static final class Life {
    private final int parent;
    private final String kind;
    private final Setting setting;
    private final double fromSeconds;
    private double toSeconds = Double.NaN;
    private double ranSeconds;

    Life(int parent, String kind, Setting setting, double fromSeconds) {
      this.parent = parent;
      this.kind = kind;
      this.setting = setting;
      this.fromSeconds = fromSeconds;
    }

    int staleness() {
      return (int) setting.valueOr(Tunable.STALENESS, 0);
    }
  }

  /// @param horizonSeconds the time the job is given; a policy that does not end by then is stopped
  /// @param isWallClock whether time is measured instead of modelled
  /// @param isEnough asked after each evaluation whether the run may end early
  SimulatedRun(
      Workload workload,
      Contender contender,
      CostModel cost,
      long seed,
      double horizonSeconds,
      boolean isWallClock,
      Predicate<SimulatedRun> isEnough) {
    this.workload = workload;
    this.contender = contender;
    this.cost = cost;
    this.seed = seed;
    this.horizonSeconds = horizonSeconds;
    this.isWallClock = isWallClock;
    this.isEnough = isEnough;
    this.metric = workload.metric();
    JobPlan plan = contender.plan(workload, cost, seed, horizonSeconds);
    this.heldOut = plan.heldOut();
    this.session = Policies.open(plan);
  }

  double seconds() {
    return seconds;
  }

  /// {@return whether an evaluation so far reaches `target`}
  boolean hasReached(double target, Goal goal) {
    return qualities.stream().anyMatch(quality -> quality.reaches(target, goal));
  }

  /// {@return the judging metric of the untrained model}
  double startQuality() {
    return startQuality;
  }

  /// {@return what the shard of each worker had done and held at the end of the run}
  List<ShardStats> shards() {
    return shards;
  }

  /// Runs the job to its end.
  RunRecord run() {
    long startCpu = cpuNanos();
    try (var folder = new ScratchFolder();
        var crew = workload.crew(seed, heldOut, folder.path())) {
      // A job's time begins when its workers have read their data.
      startNanos = System.nanoTime();
      take(session.start(), crew);
      while (!isOver()) {
        step(crew);
      }
      shards = crew.shards();
      return record((cpuNanos() - startCpu) / 1e9);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private static long cpuNanos() {
    return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
  }

  private boolean isOver() {
    if (session.isEnded()) {
      outcome = outcome.isEmpty() ? "ended" : outcome;
    } else if (seconds > OVERTIME * horizonSeconds) {
      outcome = STOPPED;
    } else if (eventCount > PATIENCE_EVENTS) {
      outcome = "stopped after " + PATIENCE_EVENTS + " events";
    } else if (events.isEmpty() && commands.isEmpty()) {
      throw new IllegalStateException(
          contender.name() + " waits for nothing after " + eventCount + " events");
    }
    return !outcome.isEmpty();
  }

  private void step(LocalCrew crew) throws InterruptedException {
    if (events.isEmpty()) {
      execute(commands.removeFirst(), crew);
      return;
    }
    SessionEvent event = events.removeFirst();
    seconds = Math.max(seconds, event.atSeconds());
    eventCount++;
    if (event instanceof SessionEvent.Evaluated evaluated) {
      note(evaluated);
    }
    take(session.step(event), crew);
  }

  private void note(SessionEvent.Evaluated evaluated) {
    Double value = evaluated.metrics().get(metric.name());
    if (value != null) {
      qualities.add(
          new RunRecord.Quality(evaluated.atSeconds(), value, evaluated.branch().number()));
      if (isEnough.test(this)) {
        outcome = "stopped at the target";
      }
    }
  }

  private void take(List<SessionEffect> effects, LocalCrew crew) {
    for (SessionEffect effect : effects) {
      switch (effect) {
        case SessionEffect.Command command -> commands.add(command.command());
        case SessionEffect.LaunchWorkers launch -> {
          commands.clear();
          if (launch.generation() > 1) {
            crew.restart();
            endAll();
          }
          events.add(
              new SessionEvent.WorkersReady(
                  seconds,
                  launch.generation(),
                  workload.workers(),
                  crew.trainingSamples(),
                  crew.defaultBatchSize(),
                  crew.probeSamples()));
        }
        case SessionEffect.KillWorkers _ -> commands.clear();
        case SessionEffect.TimeSpent now -> spent = now;
        case SessionEffect.JobChanged changed -> {
          if (changed.state() == JobState.FAILED) {
            // That a time was too short to train in says nothing against the program.
            outcome =
                changed.reason().equals(Endings.MAX_SECONDS)
                    ? STOPPED
                    : "failed: " + changed.message();
          }
        }
        default -> {}
      }
    }
  }

  private void endAll() {
    branches.values().stream()
        .filter(life -> Double.isNaN(life.toSeconds))
        .forEach(life -> life.toSeconds = seconds);
  }

  private void execute(BranchCommand command, LocalCrew crew) throws InterruptedException {
    List<List<WorkerReport>> reports = crew.execute(command, turnClocks(command));
    double now = now();
    switch (command) {
      case BranchCommand.Create(BranchId branch, Setting setting) -> {
        born(branch, -1, "MAINLINE", setting);
        measureStart(branch, crew);
      }
      case BranchCommand.Restore(BranchId branch, long _, Setting setting) ->
          born(branch, -1, "MAINLINE", setting);
      case BranchCommand.Fork fork -> {
        advance(cost.forkSeconds());
        born(fork.branch(), fork.parent().number(), fork.kind().name(), fork.setting());
      }
      case BranchCommand.Free(BranchId branch) -> life(branch).toSeconds = now;
      case BranchCommand.Schedule schedule -> ran(schedule.branch(), reports);
      case BranchCommand.Evaluate(BranchId branch, long evaluation) ->
          evaluated(branch, evaluation, reports, cost.perEvaluatedSampleSeconds());
      case BranchCommand.Probe probe ->
          evaluated(probe.branch(), probe.evaluation(), reports, cost.perProbedSampleSeconds());
      case BranchCommand.Checkpoint(BranchId branch, long checkpoint) ->
          saved(branch, checkpoint, reports);
      case BranchCommand.DropCheckpoint _, BranchCommand.Stop _ -> {}
    }
  }

  private int turnClocks(BranchCommand command) {
    return command instanceof BranchCommand.Schedule schedule
        ? 1 + life(schedule.branch()).staleness()
        : 1;
  }

  private double now() {
    if (isWallClock) {
      seconds = (System.nanoTime() - startNanos) / 1e9;
    }
    return seconds;
  }

  /// Lets simulated time pass, up to events that have not been delivered.
  private void advance(double simulated) {
    if (!isWallClock) {
      seconds += simulated;
    }
  }

  private void born(BranchId branch, int parent, String kind, Setting setting) {
    branches.put(branch, new Life(parent, kind, setting, seconds));
  }

  private Life life(BranchId branch) {
    Life life = branches.get(branch);
    if (life == null) {
      throw new IllegalStateException("there is no branch " + branch);
    }
    return life;
  }

  /// Evaluates the untrained model beside the job, which does not pay for it.
  private void measureStart(BranchId branch, LocalCrew crew) throws InterruptedException {
    List<List<WorkerReport>> reports =
        crew.execute(new BranchCommand.Evaluate(branch, Long.MAX_VALUE), 1);
    startQuality = metrics(reports, List.of(metric)).getOrDefault(metric.name(), Double.NaN);
  }

  // From reports to events.

  private void ran(BranchId branch, List<List<WorkerReport>> reports) {
    List<WorkerReport.Progressed> parts = reports.stream().map(SimulatedRun::together).toList();
    WorkerReport.Progressed first = parts.getFirst();
    Life life = life(branch);
    double at = isWallClock ? seconds - sum(first.seconds()) : seconds;
    for (int from = 0; from < first.samples().size(); from += CLOCKS_PER_EVENT) {
      int to = Math.min(from + CLOCKS_PER_EVENT, first.samples().size());
      var losses = new ArrayList<Double>();
      var durations = new ArrayList<Double>();
      for (int i = from; i < to; i++) {
        int clock = i;
        double lossSum = parts.stream().mapToDouble(part -> part.lossSums().get(clock)).sum();
        long samples = parts.stream().mapToLong(part -> part.samples().get(clock)).sum();
        long largest = parts.stream().mapToLong(part -> part.samples().get(clock)).max().orElse(0);
        double duration =
            isWallClock
                ? parts.stream().mapToDouble(part -> part.seconds().get(clock)).max().orElse(0)
                : cost.clockSeconds(largest, life.staleness());
        losses.add(samples == 0 ? Double.NaN : lossSum / samples);
        durations.add(duration);
        at += duration;
        life.ranSeconds += duration;
      }
      events.add(
          new SessionEvent.Progressed(at, branch, first.fromClock() + from, losses, durations));
    }
  }

  private static double sum(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).sum();
  }

  /// Puts the pieces that a worker reported one after the other together.
  private static WorkerReport.Progressed together(List<WorkerReport> reports) {
    var pieces =
        reports.stream()
            .filter(WorkerReport.Progressed.class::isInstance)
            .map(WorkerReport.Progressed.class::cast)
            .toList();
    if (pieces.isEmpty()) {
      return new WorkerReport.Progressed(BranchId.ROOT, 0, List.of(), List.of(), List.of());
    }
    return new WorkerReport.Progressed(
        pieces.getFirst().branch(),
        pieces.getFirst().fromClock(),
        pieces.stream().flatMap(piece -> piece.lossSums().stream()).toList(),
        pieces.stream().flatMap(piece -> piece.samples().stream()).toList(),
        pieces.stream().flatMap(piece -> piece.seconds().stream()).toList());
  }

  private void evaluated(
      BranchId branch, long evaluation, List<List<WorkerReport>> reports, double perSampleSeconds) {
    List<WorkerReport.Evaluated> parts = parts(reports);
    long largest = parts.stream().mapToLong(WorkerReport.Evaluated::samples).max().orElse(0);
    double took =
        isWallClock
            ? parts.stream().mapToDouble(WorkerReport.Evaluated::seconds).max().orElse(0)
            : perSampleSeconds * largest;
    advance(took);
    events.add(
        new SessionEvent.Evaluated(
            seconds,
            evaluation,
            branch,
            metrics(reports, workload.descriptor().validation()),
            took,
            WorkerReport.Evaluated.joinedLosses(parts, workload.descriptor().validation()),
            WorkerReport.Evaluated.joinedBlocks(parts, WorkerReport.Evaluated::scores)));
  }

  private static List<WorkerReport.Evaluated> parts(List<List<WorkerReport>> reports) {
    return reports.stream()
        .flatMap(List::stream)
        .filter(WorkerReport.Evaluated.class::isInstance)
        .map(WorkerReport.Evaluated.class::cast)
        .toList();
  }

  private static Map<String, Double> metrics(
      List<List<WorkerReport>> reports, List<MetricSpec> specs) {
    var values = new TreeMap<String, Double>();
    List<WorkerReport.Evaluated> parts = parts(reports);
    for (MetricSpec spec : specs) {
      spec.joined(parts).ifPresent(value -> values.put(spec.name(), value));
    }
    return values;
  }

  private void saved(BranchId branch, long checkpoint, List<List<WorkerReport>> reports) {
    long sizeBytes = 0;
    for (WorkerReport report : reports.stream().flatMap(List::stream).toList()) {
      if (report instanceof WorkerReport.CheckpointFailed failed) {
        events.add(
            new SessionEvent.CheckpointFailed(seconds, checkpoint, branch, failed.message()));
        return;
      }
      if (report instanceof WorkerReport.CheckpointWritten written) {
        sizeBytes += written.sizeBytes();
      }
    }
    events.add(new SessionEvent.CheckpointWritten(seconds, checkpoint, branch, sizeBytes));
  }

  // The end.

  private RunRecord record(double cpuSeconds) {
    endAll();
    var lives = new ArrayList<RunRecord.BranchLife>();
    branches.forEach((id, life) ->
        lives.add(
            new RunRecord.BranchLife(
                id.number(),
                life.parent,
                life.kind,
                RunRecord.BranchLife.plain(life.setting),
                life.fromSeconds,
                life.toSeconds,
                life.ranSeconds)));
    return new RunRecord(
        workload.name(),
        contender.name(),
        seed,
        outcome,
        horizonSeconds,
        seconds,
        qualities,
        lives,
        spent.tuningSeconds(),
        spent.trainingSeconds(),
        spent.evaluationSeconds(),
        cpuSeconds);
  }
}
