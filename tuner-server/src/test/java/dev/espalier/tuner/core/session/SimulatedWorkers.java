package dev.espalier.tuner.core.session;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.IntToDoubleFunction;
import java.util.function.LongPredicate;

/// Workers that run a loss curve instead of a program: they carry out a session's commands in order
/// and feed it the events, in one thread, in simulated seconds.
///
/// They check what every session promises: numbers are used once, branches exist, and clocks are
/// outstanding on one branch only.
public final class SimulatedWorkers {
  /// What is trained.
  public interface Model {
    double[] initial();

    /// Runs one clock in place.
    ///
    /// @return the training loss of the clock
    double clock(double[] state, Setting setting);

    /// {@return the validation metric}
    double evaluate(double[] state);

    /// {@return the loss of each block of the held-out samples}
    default double[] losses(double[] state, long samples) {
      double loss = evaluate(state);
      return blocks(samples, _ -> loss);
    }

    /// {@return one loss for each block of the held-out samples}
    static double[] blocks(long samples, IntToDoubleFunction loss) {
      double[] blocks = new double[Math.toIntExact(Math.ceilDiv(samples, PROBE_BLOCK))];
      Arrays.setAll(blocks, loss);
      return blocks;
    }
  }

  private static final int MAX_EVENTS = 200_000;
  private static final int DEFAULT_BATCH_SIZE = 32;
  private static final long PROBE_BLOCK = 16;

  private final TuningSession session;
  private final Model model;
  private final TimeModel time;
  private final String metric;
  private final int workers;
  private final long trainingSamples;
  private final int pieceClocks;
  private final Deque<BranchCommand> queue = new ArrayDeque<>();
  private final Deque<SessionEvent> injected = new ArrayDeque<>();
  private final Map<BranchId, Held> branches = new HashMap<>();
  private final Map<Long, double[]> durable = new HashMap<>();
  private final Map<BranchId, Long> outstanding = new HashMap<>();
  private final Set<Object> usedNumbers = new HashSet<>();
  private final List<SessionEvent> events = new ArrayList<>();
  private final List<SessionEffect> effects = new ArrayList<>();
  private BiConsumer<SimulatedWorkers, SessionEvent> afterEach = (_, _) -> {};
  private LongPredicate failingCheckpoints = _ -> false;
  private LongPredicate damagedCheckpoints = _ -> false;
  private LongPredicate missingCheckpoints = _ -> false;
  private LongPredicate closedCheckpoints = _ -> false;
  private double resultStep;
  private long probeSamples = 512;
  private double judgingCost = 1;
  private int generation;
  private boolean isHeld;
  private double seconds;

  private static final class Held {
    private final Setting setting;
    private final double[] state;
    private long clocks;

    Held(Setting setting, double[] state) {
      this.setting = setting;
      this.state = state.clone();
    }
  }

  /// @param pieceClocks how many clocks at most go into one report
  public SimulatedWorkers(
      TuningSession session,
      Model model,
      TimeModel time,
      String metric,
      int workers,
      long trainingSamples,
      int pieceClocks) {
    this.session = session;
    this.model = model;
    this.time = time;
    this.metric = metric;
    this.workers = workers;
    this.trainingSamples = trainingSamples;
    this.pieceClocks = pieceClocks;
  }

  /// Calls `action` after each event was delivered; it may `ask`, `lose` or `pass`.
  public SimulatedWorkers afterEach(BiConsumer<SimulatedWorkers, SessionEvent> action) {
    afterEach = action;
    return this;
  }

  public SimulatedWorkers failCheckpoints(LongPredicate failing) {
    failingCheckpoints = failing;
    return this;
  }

  /// Lets workers find these checkpoints damaged when they are to start from them.
  public SimulatedWorkers damageCheckpoints(LongPredicate damaged) {
    damagedCheckpoints = damaged;
    return this;
  }

  /// Lets workers not find these checkpoints when they are to start from them.
  public SimulatedWorkers loseCheckpoints(LongPredicate missing) {
    missingCheckpoints = missing;
    return this;
  }

  /// Lets workers find these checkpoints, and not open them.
  public SimulatedWorkers closeCheckpoints(LongPredicate closed) {
    closedCheckpoints = closed;
    return this;
  }

  /// Holds another number of samples out.
  public SimulatedWorkers holdOut(long samples) {
    probeSamples = samples;
    return this;
  }

  /// Lets a sample that judges take so many times as long as one that is trained on.
  public SimulatedWorkers judgingTakes(double times) {
    judgingCost = times;
    return this;
  }

  /// Rounds validation results to whole steps, as accuracies on few samples are, and tells the loss
  /// beside them.
  public SimulatedWorkers roundResultsTo(double step) {
    resultStep = step;
    return this;
  }

  /// Runs the job to its end.
  public SimulatedWorkers run() {
    take(session.start());
    while (!session.isEnded()) {
      if (events.size() > MAX_EVENTS) {
        throw new AssertionError("the job did not end within " + MAX_EVENTS + " events");
      }
      if (!injected.isEmpty()) {
        deliver(injected.removeFirst());
      } else if (!queue.isEmpty() && !isHeld) {
        execute(queue.removeFirst());
      } else {
        throw new AssertionError("the session waits for nothing; last effects " + lastEffects());
      }
    }
    return this;
  }

  private List<SessionEffect> lastEffects() {
    return effects.subList(Math.max(0, effects.size() - 8), effects.size());
  }

  /// Lets a person ask for something, next.
  public void ask(SessionEvent.UserRequest request) {
    injected.add(new SessionEvent.Requested(seconds, request, "token:test"));
  }

  /// Kills a worker, now.
  public void lose() {
    end(new SessionEvent.WorkersLost(seconds, generation, "killed by a test"));
  }

  /// Lets the program fail, now.
  public void fail(String code, String message) {
    end(new SessionEvent.ProgramFailed(seconds, code, message));
  }

  private void end(SessionEvent why) {
    branches.clear();
    queue.clear();
    outstanding.clear();
    injected.removeIf(event -> !(event instanceof SessionEvent.Requested));
    injected.add(why);
  }

  /// {@return simulated seconds so far}
  public double seconds() {
    return seconds;
  }

  public List<SessionEvent> events() {
    return events;
  }

  public List<SessionEffect> effects() {
    return effects;
  }

  public <T> List<T> effects(Class<T> type) {
    return effects.stream().filter(type::isInstance).map(type::cast).toList();
  }

  public List<Decision> decisions() {
    return effects(SessionEffect.Decide.class).stream()
        .map(SessionEffect.Decide::decision)
        .toList();
  }

  /// {@return the decision with a key}
  public Decision decision(String key) {
    return decisions().stream()
        .filter(decision -> decision.key().equals(key))
        .findFirst()
        .orElseThrow(() -> new AssertionError("no decision " + key));
  }

  public List<BranchCommand> commands() {
    return effects(SessionEffect.Command.class).stream()
        .map(SessionEffect.Command::command)
        .toList();
  }

  /// {@return whether the job's result is a state whose checkpoint is good}
  public boolean isResultSaved() {
    SessionEffect.ResultChanged result = effects(SessionEffect.ResultChanged.class).getLast();
    return snapshots().stream()
        .filter(snapshot -> snapshot.state() == SnapshotState.READY)
        .anyMatch(snapshot ->
            snapshot.branch().equals(result.branch())
                && snapshot.mainlineClock() == result.mainlineClock());
  }

  /// {@return what was said last of each snapshot}
  public Collection<SessionEffect.SnapshotChanged> snapshots() {
    Map<Long, SessionEffect.SnapshotChanged> snapshots = new HashMap<>();
    effects(SessionEffect.SnapshotChanged.class)
        .forEach(changed -> snapshots.put(changed.snapshot(), changed));
    return snapshots.values();
  }

  public SessionEffect.JobChanged lastShown() {
    return effects(SessionEffect.JobChanged.class).getLast();
  }

  private void deliver(SessionEvent event) {
    events.add(event);
    take(session.step(event));
    afterEach.accept(this, event);
  }

  private void take(List<SessionEffect> next) {
    long shown = next.stream().filter(SessionEffect.JobChanged.class::isInstance).count();
    require(shown <= 1, "more than one JobChanged for an event: " + next);
    effects.addAll(next);
    for (SessionEffect effect : next) {
      switch (effect) {
        case SessionEffect.Command command -> enqueue(command.command());
        case SessionEffect.LaunchWorkers launch -> launch(launch.generation());
        case SessionEffect.KillWorkers _ -> queue.clear();
        case SessionEffect.Hold hold -> isHeld = hold.held();
        case SessionEffect.Decide decide ->
            require(usedNumbers.add(decide.decision().key()), "key twice: " + decide);
        case SessionEffect.JobChanged _,
            SessionEffect.BranchChanged _,
            SessionEffect.RoundChanged _,
            SessionEffect.ScheduleChanged _,
            SessionEffect.MainlineEvaluated _,
            SessionEffect.RunEvaluated _,
            SessionEffect.ResultChanged _,
            SessionEffect.SnapshotChanged _,
            SessionEffect.TimeSpent _,
            SessionEffect.Ignored _ -> {}
      }
    }
  }

  private void launch(int next) {
    generation = next;
    isHeld = false;
    injected.add(
        new SessionEvent.WorkersReady(
            seconds, generation, workers, trainingSamples, DEFAULT_BATCH_SIZE, probeSamples));
  }

  private void enqueue(BranchCommand command) {
    switch (command) {
      case BranchCommand.Create create -> requireNew(create.branch());
      case BranchCommand.Restore restore -> requireNew(restore.branch());
      case BranchCommand.Fork fork -> requireNew(fork.branch());
      case BranchCommand.Schedule schedule -> {
        outstanding.keySet().retainAll(Set.of(schedule.branch()));
        require(
            outstanding.getOrDefault(schedule.branch(), 0L) < schedule.untilClock(),
            "nothing new in " + schedule);
        outstanding.put(schedule.branch(), schedule.untilClock());
      }
      case BranchCommand.Free free -> outstanding.remove(free.branch());
      case BranchCommand.Evaluate evaluate -> requireNew("evaluation " + evaluate.evaluation());
      case BranchCommand.Probe probe -> requireNew("evaluation " + probe.evaluation());
      case BranchCommand.Checkpoint saved -> requireNew("checkpoint " + saved.checkpoint());
      case BranchCommand.DropCheckpoint _, BranchCommand.Stop _ -> {}
    }
    queue.add(command);
  }

  private void execute(BranchCommand command) {
    switch (command) {
      case BranchCommand.Create create ->
          branches.put(create.branch(), new Held(create.setting(), model.initial()));
      case BranchCommand.Restore restore -> {
        require(durable.containsKey(restore.checkpoint()), "no such checkpoint: " + restore);
        if (damagedCheckpoints.test(restore.checkpoint())) {
          fail("CHECKPOINT_FAILED", "checkpoint " + restore.checkpoint() + " is torn");
          return;
        }
        if (closedCheckpoints.test(restore.checkpoint())) {
          fail("CHECKPOINT_UNREADABLE", restore.checkpoint() + ": too many open files");
          return;
        }
        if (missingCheckpoints.test(restore.checkpoint())) {
          fail("CHECKPOINT_MISSING", "worker 1 has no " + restore.checkpoint());
          return;
        }
        branches.put(
            restore.branch(), new Held(restore.setting(), durable.get(restore.checkpoint())));
      }
      case BranchCommand.Fork fork ->
          branches.put(fork.branch(), new Held(fork.setting(), held(fork.parent()).state));
      case BranchCommand.Schedule schedule -> runClocks(schedule);
      case BranchCommand.Evaluate evaluate -> evaluate(evaluate);
      case BranchCommand.Probe probe -> probe(probe);
      case BranchCommand.Free free -> {
        held(free.branch());
        branches.remove(free.branch());
      }
      case BranchCommand.Checkpoint checkpoint -> save(checkpoint);
      case BranchCommand.DropCheckpoint drop -> durable.remove(drop.checkpoint());
      case BranchCommand.Stop _ -> queue.clear();
    }
  }

  private void runClocks(BranchCommand.Schedule schedule) {
    Held held = held(schedule.branch());
    int ofGeneration = generation;
    while (held.clocks < schedule.untilClock()) {
      long from = held.clocks;
      var losses = new ArrayList<Double>();
      var durations = new ArrayList<Double>();
      double each =
          time.secondsOf(Math.round(held.setting.valueOr(Tunable.BATCH_SIZE, DEFAULT_BATCH_SIZE)));
      while (held.clocks < schedule.untilClock() && losses.size() < pieceClocks) {
        losses.add(model.clock(held.state, shaped(held.setting, schedule.shape(), held.clocks)));
        durations.add(each);
        seconds += each;
        held.clocks++;
      }
      deliver(new SessionEvent.Progressed(seconds, schedule.branch(), from, losses, durations));
      while (!injected.isEmpty() && !session.isEnded()) {
        deliver(injected.removeFirst());
      }
      if (session.isEnded() || generation != ofGeneration || !branches.containsValue(held)) {
        return;
      }
    }
  }

  private void evaluate(BranchCommand.Evaluate command) {
    double took = 10 * time.secondsOf(DEFAULT_BATCH_SIZE);
    seconds += took;
    double loss = model.evaluate(held(command.branch()).state);
    boolean isRounded = resultStep > 0;
    deliver(
        new SessionEvent.Evaluated(
            seconds,
            command.evaluation(),
            command.branch(),
            Map.of(metric, isRounded ? resultStep * Math.round(loss / resultStep) : loss),
            took,
            isRounded ? List.of(loss) : List.of(),
            List.of()));
  }

  private static Setting shaped(Setting setting, Shape shape, long clock) {
    double factor = shape.factor(clock);
    return factor == 1
        ? setting
        : setting.with(
            Tunable.LEARNING_RATE, factor * setting.valueOr(Tunable.LEARNING_RATE, 0.01));
  }

  private void probe(BranchCommand.Probe command) {
    long samples = Math.min(command.samples(), probeSamples);
    double took = judgingCost * time.perSampleSeconds() * samples / workers;
    seconds += took;
    deliver(
        new SessionEvent.Evaluated(
            seconds,
            command.evaluation(),
            command.branch(),
            Map.of(),
            took,
            Arrays.stream(model.losses(held(command.branch()).state, samples)).boxed().toList(),
            List.of()));
  }

  private void save(BranchCommand.Checkpoint command) {
    double[] state = held(command.branch()).state.clone();
    if (failingCheckpoints.test(command.checkpoint())) {
      deliver(
          new SessionEvent.CheckpointFailed(
              seconds, command.checkpoint(), command.branch(), "No space left on device"));
    } else {
      durable.put(command.checkpoint(), state);
      deliver(
          new SessionEvent.CheckpointWritten(
              seconds, command.checkpoint(), command.branch(), 8L * state.length));
    }
  }

  private Held held(BranchId branch) {
    Held held = branches.get(branch);
    require(held != null, "no such branch: " + branch);
    return held;
  }

  private void requireNew(Object number) {
    require(usedNumbers.add(number), "used twice: " + number);
  }

  private static void require(boolean condition, String message) {
    if (!condition) {
      throw new AssertionError(message);
    }
  }
}
