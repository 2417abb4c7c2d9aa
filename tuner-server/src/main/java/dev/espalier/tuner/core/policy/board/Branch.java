package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.progress.ProgressSummary;
import dev.espalier.tuner.core.progress.ProgressTrace;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.TrainingStart;
import java.util.List;
import java.util.Optional;

/// One branch as the session knows it: what it runs with, how far it came, what it is worth.
///
/// Written by `Board` alone, so that each change is told to the outside.
public final class Branch {
  /// Clocks of an epoch are counted in doubles; this much is rounding.
  public static final double EPOCH_ROUNDING = 1e-9;

  /// What a clock is taken to last at least, where the system's clock saw no time pass.
  public static final double SHORTEST_CLOCK_SECONDS = 1e-9;

  private static final double LOSS_MEMORY = 0.95;

  private final BranchId id;
  private final Optional<BranchId> parent;
  private final int round;
  private final Setting setting;
  private final long clocksPerEpoch;
  private final Path path;
  private BranchKind kind;
  private BranchState state = BranchState.FORKING;
  private boolean isFreed;
  private long forkClock;
  private double forkEpochs;
  private TrainingStart start = TrainingStart.FIRST;
  private long clocks;
  private long scheduledUntil;
  private double seconds;
  private double lossSum;
  private double lossWeight;
  private ProgressTrace trace = new ProgressTrace();
  private boolean isTraced;
  private Optional<ProgressSummary> summary = Optional.empty();
  private double heldOutLoss = Double.NaN;
  private Optional<String> heldOutMetric = Optional.empty();
  private Optional<SessionEffect.BestValidation> validation = Optional.empty();

  /// @param before what led to its beginning
  Branch(
      BranchId id,
      Optional<BranchId> parent,
      BranchKind kind,
      int round,
      Setting setting,
      long clocksPerEpoch,
      List<JobPlan.ScheduleStep> before) {
    this.id = id;
    this.parent = parent;
    this.kind = kind;
    this.round = round;
    this.setting = setting;
    this.clocksPerEpoch = clocksPerEpoch;
    this.path = new Path(before, setting);
  }

  /// {@return settings and shapes of rates over the mainline's clocks that lead to where it is when
  /// all that is scheduled has run}
  List<JobPlan.ScheduleStep> path() {
    return path.steps(forkClock);
  }

  /// {@return its number in the job}
  public BranchId id() {
    return id;
  }

  /// {@return the branch in whose state it began; empty for an untrained model}
  public Optional<BranchId> parent() {
    return parent;
  }

  /// {@return what it runs with, all its life}
  public Setting setting() {
    return setting;
  }

  /// {@return what it is for at present}
  public BranchKind kind() {
    return kind;
  }

  /// {@return what it does at present}
  public BranchState state() {
    return state;
  }

  /// {@return own clocks that were reported}
  public long clocks() {
    return clocks;
  }

  /// {@return how long its own clocks took}
  public double seconds() {
    return seconds;
  }

  /// {@return the own clock up to which workers were told to run it}
  public long scheduledUntil() {
    return scheduledUntil;
  }

  /// {@return clocks of one pass over the training data with this setting, >= 1}
  public long clocksPerEpoch() {
    return clocksPerEpoch;
  }

  /// {@return seconds and loss of each clock since its trace began; empty without one}
  public ProgressTrace trace() {
    return trace;
  }

  /// {@return whether workers hold it: it was neither freed nor lost}
  public boolean isAlive() {
    return !isFreed && state != BranchState.LOST;
  }

  /// {@return mean loss of its last clocks, about twenty; NaN before the first and after an
  /// overflow}
  public double recentLoss() {
    return lossSum / lossWeight;
  }

  /// {@return the mainline's clock at the fork}
  public long forkClock() {
    return forkClock;
  }

  /// {@return the mainline's epochs at the fork}
  public double forkEpochs() {
    return forkEpochs;
  }

  /// {@return whether every clock scheduled so far was reported}
  public boolean isAtRest() {
    return clocks >= scheduledUntil;
  }

  /// {@return mean duration of a clock, > 0; asks for at least one clock}
  public double secondsPerClock() {
    return Math.max(seconds / clocks, SHORTEST_CLOCK_SECONDS);
  }

  /// {@return clocks of the mainline up to and with this branch's own}
  public long mainlineClock() {
    return forkClock + clocks;
  }

  /// {@return passes over the training data up to and with this branch's own clocks}
  public double epochs() {
    return epochsAfter(clocks);
  }

  /// {@return the mainline's clock once all that is scheduled has run}
  public long scheduledMainlineClock() {
    return forkClock + scheduledUntil;
  }

  double scheduledEpochs() {
    return epochsAfter(scheduledUntil);
  }

  /// {@return epochs that are over}
  public long wholeEpochs() {
    return (long) Math.floor(epochs() + EPOCH_ROUNDING);
  }

  /// {@return the own clock at which `epochs` passes are over}
  public long clockOfEpoch(double epochs) {
    return (long) Math.ceil((epochs - forkEpochs) * clocksPerEpoch - EPOCH_ROUNDING);
  }

  /// {@return the own clock that is clock `mainlineClock` of the mainline}
  public long clockOfMainline(long mainlineClock) {
    return mainlineClock - forkClock;
  }

  private double epochsAfter(long ownClocks) {
    return forkEpochs + (double) ownClocks / clocksPerEpoch;
  }

  void startAt(long mainlineClock, double epochs, TrainingStart of) {
    forkClock = mainlineClock;
    forkEpochs = epochs;
    start = of;
  }

  /// {@return the start that it belongs to}
  public TrainingStart start() {
    return start;
  }

  void become(BranchState next) {
    state = next;
  }

  void become(BranchKind next) {
    kind = next;
  }

  void schedule(long untilClock, Shape shape) {
    path.goOn(scheduledUntil, shape);
    scheduledUntil = untilClock;
  }

  /// Takes in what a round makes of its convergence.
  public void judge(ProgressSummary verdict) {
    summary = Optional.of(verdict);
  }

  /// Counts one clock; workers that were alone may be further than the schedule.
  void count(double clockSeconds, double loss) {
    clocks++;
    seconds += clockSeconds;
    lossSum = LOSS_MEMORY * lossSum + loss;
    lossWeight = LOSS_MEMORY * lossWeight + 1;
    scheduledUntil = Math.max(scheduledUntil, clocks);
    if (isTraced) {
      trace.append(clockSeconds, loss);
    }
  }

  /// Takes in its mean loss on the samples that judge.
  ///
  /// @param metric whose negative that is; empty where it is a loss
  public void probed(double loss, Optional<String> metric) {
    heldOutLoss = loss;
    heldOutMetric = metric;
  }

  /// Takes in a validation result of it as it stands.
  ///
  /// @param value of the metric that judges the model; may be NaN
  public void validated(MetricSpec metric, double value) {
    boolean isBest =
        validation
            .map(best -> metric.goal().isBetter(value, best.value()))
            .orElse(!Double.isNaN(value));
    if (isBest) {
      validation =
          Optional.of(
              new SessionEffect.BestValidation(metric.name(), metric.goal(), value, epochs()));
    }
  }

  /// Takes the place of a branch that was lost with its workers, and holds what it came to.
  public void standsFor(Branch lost) {
    validation = lost.validation;
  }

  void free() {
    isFreed = true;
    forgetTrace();
  }

  /// Keeps seconds and loss of each clock from now on: 16 bytes a clock, for who judges by them.
  public void beginTrace() {
    isTraced = true;
  }

  /// Lets its trace go, and keeps none from now on.
  void forgetTrace() {
    isTraced = false;
    trace = new ProgressTrace();
  }

  SessionEffect.BranchChanged changed() {
    return new SessionEffect.BranchChanged(
        id,
        parent,
        kind,
        round,
        setting,
        state,
        start,
        forkClock,
        clocks,
        seconds,
        summary,
        heldOutLoss,
        heldOutMetric,
        validation);
  }
}
