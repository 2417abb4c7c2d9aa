package dev.espalier.bench;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/// A job of the `mltuner` policy on a noisy quadratic bowl, run without workers to get its log.
final class SimulatedJob {
  private static final int MAX_EVENTS = 100_000;
  private static final int BATCH_SIZE = 32;
  private static final int CLOCKS_PER_REPORT = 10;
  private static final int WORKERS = 2;
  private static final long SAMPLES = 6400;
  private static final double STEEP = 1;
  private static final double SHALLOW = 0.05;
  private static final double NOISE = 0.2;
  private static final double OVERFLOW = 1e9;
  private static final TimeModel TIME = new TimeModel(0.002, 0.00005);

  static final JobPlan PLAN =
      new JobPlan(
          "mltuner",
          "tpe",
          new SearchSpace(
              List.of(
                  new Tunable.LogRange("learningRate", 1e-5, 10, 0.01),
                  new Tunable.LinearRange("momentum", 0, 0.95, 0.5),
                  new Tunable.Choice("batchSize", List.of(8.0, 32.0, 128.0), BATCH_SIZE))),
          Setting.EMPTY,
          List.of(),
          new MetricSpec("loss", Goal.MINIMIZE, MetricSpec.Aggregate.MEAN),
          WORKERS,
          42,
          new JobPlan.Options(10, true, 20, 10, 0, 24, 5, 0.1, 4, 50, 10),
          new JobPlan.Runs(24, 30, 1, 3, 5, 5, 10, 1, 0.2, 0.25, 1.2, false, false),
          60,
          0,
          Double.NaN,
          2,
          Optional.of(TIME));

  private final TuningSession session = Policies.open(PLAN);
  private final Deque<BranchCommand> commands = new ArrayDeque<>();
  private final Map<BranchId, Model> branches = new HashMap<>();
  private final Map<Long, Model> saved = new HashMap<>();
  private final List<SessionEvent> events = new ArrayList<>();
  private final SplittableRandom random = new SplittableRandom(PLAN.seed());
  private double seconds;

  /// What is trained; `clocks` of the branch, not of its ancestors.
  private static final class Model {
    private final Setting setting;
    private double steep;
    private double shallow;
    private long clocks;

    Model(Setting setting, double steep, double shallow) {
      this.setting = setting;
      this.steep = steep;
      this.shallow = shallow;
    }

    Model with(Setting other) {
      return new Model(other, steep, shallow);
    }

    double loss() {
      return 0.02 + (STEEP * steep * steep + SHALLOW * shallow * shallow) / 2;
    }
  }

  private SimulatedJob() {}

  /// {@return all events of the job, from its start to its end}
  static List<SessionEvent> events() {
    var job = new SimulatedJob();
    job.take(job.session.start());
    while (!job.session.isEnded()) {
      if (job.commands.isEmpty() || job.events.size() > MAX_EVENTS) {
        throw new IllegalStateException(
            "the simulated job did not end; events " + job.events.size());
      }
      job.execute(job.commands.removeFirst());
    }
    return List.copyOf(job.events);
  }

  private void deliver(SessionEvent event) {
    events.add(event);
    take(session.step(event));
  }

  private void take(List<SessionEffect> effects) {
    for (SessionEffect effect : effects) {
      if (effect instanceof SessionEffect.Command command) {
        commands.add(command.command());
      } else if (effect instanceof SessionEffect.LaunchWorkers launch) {
        deliver(
            new SessionEvent.WorkersReady(
                seconds, launch.generation(), WORKERS, SAMPLES, BATCH_SIZE));
      } else if (effect instanceof SessionEffect.KillWorkers) {
        commands.clear();
      }
    }
  }

  private void execute(BranchCommand command) {
    switch (command) {
      case BranchCommand.Create create ->
          branches.put(create.branch(), new Model(create.setting(), 3, 3));
      case BranchCommand.Restore restore ->
          branches.put(
              restore.branch(), model(saved, restore.checkpoint()).with(restore.setting()));
      case BranchCommand.Fork fork ->
          branches.put(fork.branch(), model(branches, fork.parent()).with(fork.setting()));
      case BranchCommand.Schedule schedule -> run(schedule.branch(), schedule.untilClock());
      case BranchCommand.Evaluate evaluate -> evaluate(evaluate);
      case BranchCommand.Probe _ -> {}
      case BranchCommand.Free free -> branches.remove(free.branch());
      case BranchCommand.Checkpoint checkpoint -> {
        Model model = model(branches, checkpoint.branch());
        saved.put(checkpoint.checkpoint(), model.with(model.setting));
        deliver(
            new SessionEvent.CheckpointWritten(
                seconds, checkpoint.checkpoint(), checkpoint.branch(), 1000));
      }
      case BranchCommand.DropCheckpoint drop -> saved.remove(drop.checkpoint());
      case BranchCommand.Stop _ -> commands.clear();
    }
  }

  private static <K> Model model(Map<K, Model> models, K key) {
    Model model = models.get(key);
    if (model == null) {
      throw new IllegalStateException("there is no " + key);
    }
    return model;
  }

  private void run(BranchId branch, long untilClock) {
    Model model = model(branches, branch);
    while (model.clocks < untilClock && branches.get(branch) == model && !session.isEnded()) {
      long from = model.clocks;
      double each =
          TIME.secondsOf(Math.round(model.setting.valueOr(Tunable.BATCH_SIZE, BATCH_SIZE)));
      var losses = new ArrayList<Double>();
      var durations = new ArrayList<Double>();
      while (model.clocks < untilClock && losses.size() < CLOCKS_PER_REPORT) {
        losses.add(clock(model));
        durations.add(each);
        seconds += each;
      }
      deliver(new SessionEvent.Progressed(seconds, branch, from, losses, durations));
    }
  }

  private double clock(Model model) {
    double loss = model.loss() + 0.02 * random.nextGaussian();
    double rate =
        model.setting.valueOr(Tunable.LEARNING_RATE, 0.01)
            / (1 - model.setting.valueOr(Tunable.MOMENTUM, 0));
    model.steep -= rate * (STEEP * model.steep + NOISE * random.nextGaussian());
    model.shallow -= rate * (SHALLOW * model.shallow + NOISE * random.nextGaussian());
    model.clocks++;
    return loss < OVERFLOW ? loss : Double.NaN;
  }

  private void evaluate(BranchCommand.Evaluate command) {
    double took = 10 * TIME.secondsOf(BATCH_SIZE);
    seconds += took;
    deliver(
        new SessionEvent.Evaluated(
            seconds,
            command.evaluation(),
            command.branch(),
            Map.of("loss", model(branches, command.branch()).loss()),
            took));
  }
}
