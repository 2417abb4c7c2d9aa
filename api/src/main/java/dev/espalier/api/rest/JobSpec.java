package dev.espalier.api.rest;

import dev.espalier.api.model.Communication;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// A job as its user describes it, checked, with every default filled in.
///
/// @param name for people; 1 to 80 characters
/// @param program name of a registered program
/// @param data folder below one of the server's data roots; empty when the program generates data
/// @param arguments of the program, in the text form of their types
/// @param workers processes that train together, 1 to 64
/// @param launch who starts the workers
/// @param seed of everything random in the job, within `±` [JobDefaults#MAX_SEED] where a job file
///   names it
/// @param tunables the search space; empty to take the program's
/// @param tuning the policy and its options
/// @param stop when training ends at the latest
/// @param checkpoints how the job survives its workers
/// @param limits what a worker's program may take
/// @param time cost model in place of the wall clock; empty for measured seconds
/// @param communication how workers exchange parameters and updates
/// @param gpuMemoryBytes bytes of a GPU's memory for each worker's part of the tables, >= 0; 0
///   keeps them on the host
/// @param prior what earlier jobs of the program found, best first, as it was known when the job
///   was submitted; not part of the job file
public record JobSpec(
    String name,
    String program,
    Optional<String> data,
    Map<String, String> arguments,
    int workers,
    Launch launch,
    long seed,
    List<Tunable> tunables,
    Tuning tuning,
    Stop stop,
    Checkpoints checkpoints,
    Limits limits,
    Optional<TimeModel> time,
    Communication communication,
    long gpuMemoryBytes,
    List<Prior> prior) {
  public JobSpec {
    // Jobs that were stored before there was experience have none.
    prior = List.copyOf(Objects.requireNonNullElse(prior, List.of()));
    // Jobs that were stored before there was a choice do not have it.
    limits = Objects.requireNonNullElse(limits, Limits.NONE);
    communication = Objects.requireNonNullElse(communication, Communication.PLAIN);
    arguments = Map.copyOf(arguments);
    tunables = List.copyOf(tunables);
  }

  /// {@return the same job with what earlier jobs found}
  public JobSpec withPrior(List<Prior> known) {
    return new JobSpec(
        name,
        program,
        data,
        arguments,
        workers,
        launch,
        seed,
        tunables,
        tuning,
        stop,
        checkpoints,
        limits,
        time,
        communication,
        gpuMemoryBytes,
        known);
  }

  /// Who starts the workers of a job.
  public enum Launch {
    /// The server, as processes of its own machine.
    LOCAL,
    /// The user; workers come by themselves, with an API token.
    EXTERNAL
  }

  /// The policy and its options; see `docs` of each policy for what it uses.
  ///
  /// @param policy one of `PolicyName.ALL`
  /// @param searcher `random`, `sobol`, `grid`, `tpe` or `gp`
  /// @param setting values that are not searched; for `fixed` the setting to train with
  /// @param schedule for `fixed`: settings by mainline clock, ascending; empty for one setting
  /// @param windows K, the number of windows of the progress summarizer, 3 to 1000
  /// @param startingLoss whether the parent's loss stands in front of the window means
  /// @param probeClocks clocks of the starting-loss probe, 1 to 100000
  /// @param divergenceFactor last window above this many times the starting loss means diverged, >
  ///   1
  /// @param trialSeconds first trial time; 0 for the time that K clocks take
  /// @param maxTrials bound on the trials of the initial round, >= 1; each later round may try at
  ///   most as many as the one before
  /// @param stopBest a search may end when this many best speeds ...
  /// @param stopWithin ... lie within this share of the best
  /// @param retunePlateauEpochs re-tune after so many evaluations without a new best, >= 1
  /// @param convergePlateauEpochs stop after so many, > retunePlateauEpochs
  /// @param maxRetunes bound on re-tuning rounds, >= 0
  /// @param runs what bounds the runs of a policy that trains a population
  /// @param racing constants of `racing`
  /// @param warmStart whether `racing` first tries what earlier jobs of the program found
  /// @param holdOut whether `fixed` trains without the samples that `racing` would hold out by
  ///   `racing.heldOut()`, as a schedule that `racing` found needs
  public record Tuning(
      String policy,
      String searcher,
      Setting setting,
      List<ScheduleEntry> schedule,
      int windows,
      boolean startingLoss,
      int probeClocks,
      double divergenceFactor,
      double trialSeconds,
      int maxTrials,
      int stopBest,
      double stopWithin,
      int retunePlateauEpochs,
      int convergePlateauEpochs,
      int maxRetunes,
      Runs runs,
      RacingOptions racing,
      boolean warmStart,
      boolean holdOut) {
    public Tuning {
      schedule = List.copyOf(schedule);
      // Jobs that were stored before there were populations have none.
      runs = Objects.requireNonNullElse(runs, Runs.DEFAULTS);
      // Jobs that were stored before there were races have none.
      racing = Objects.requireNonNullElse(racing, RacingOptions.DEFAULTS);
    }

    /// {@return whether one mainline is trained, and not a population of runs}
    public boolean hasMainline() {
      return PolicyName.WITH_MAINLINE.contains(policy);
    }

    /// {@return whether settings race on held-out samples}
    public boolean races() {
      return policy.equals(PolicyName.RACING);
    }
  }

  /// What bounds the runs of a policy that trains a population: `random`, `grid`, `bayes`,
  /// `hyperband`, `asha`, `pbt`.
  ///
  /// @param max runs to start, >= 1; 0 for as many as there is time for, or
  ///   `JobDefaults.MAX_TRIALS` without a bound on time
  /// @param maxEpochs passes over the data of the longest run, > 0; 0 for `stop.maxEpochs`
  /// @param minEpochs of the shortest run of `hyperband` and `asha`, > 0; 0 for one pass, or less
  ///   if that makes fewer than four rungs
  /// @param eta of the runs at a rung the share of 1 / eta goes on, 2 to 100
  /// @param gridPoints values per continuous tunable of `grid`, 2 to 1000
  /// @param population members of `pbt`, 2 to 1000
  /// @param intervalEpochs passes over the data between two decisions about a member, > 0
  /// @param truncation share of the population that is replaced by copies of its best, in (0, 0.5]
  /// @param resample probability that a tunable of a copy is drawn afresh, 0 to 1
  /// @param perturbation f in (1, 2): a tunable of a copy is multiplied by f or by 2 - f
  /// @param defaultFirst whether the first run trains the default setting, before any is drawn
  public record Runs(
      int max,
      double maxEpochs,
      double minEpochs,
      int eta,
      int gridPoints,
      int population,
      double intervalEpochs,
      double truncation,
      double resample,
      double perturbation,
      boolean defaultFirst) {
    /// What a job file need not say.
    public static final Runs DEFAULTS =
        new Runs(
            0,
            0,
            0,
            JobDefaults.ETA,
            JobDefaults.GRID_POINTS,
            JobDefaults.POPULATION,
            JobDefaults.INTERVAL_EPOCHS,
            JobDefaults.TRUNCATION,
            JobDefaults.RESAMPLE,
            JobDefaults.PERTURBATION,
            JobDefaults.DEFAULT_FIRST);
  }

  /// One step of a schedule: the setting from a clock of the mainline on.
  ///
  /// @param cooldown over which clocks of the mainline the learning rate falls to zero; empty for a
  ///   constant rate
  public record ScheduleEntry(
      long fromClock, Setting setting, Optional<Shape.LinearToZero> cooldown) {
    public ScheduleEntry {
      // Jobs that were stored before rates could fall have none.
      cooldown = Objects.requireNonNullElse(cooldown, Optional.empty());
    }

    /// A step at a constant rate.
    public ScheduleEntry(long fromClock, Setting setting) {
      this(fromClock, setting, Optional.empty());
    }

    /// {@return the shape of the learning rate, over clocks of the mainline}
    public Shape shape() {
      return cooldown.isPresent() ? cooldown.get() : Shape.CONSTANT;
    }
  }

  /// When training ends at the latest; the first bound that is met ends it.
  ///
  /// @param maxEpochs passes over the training data on the mainline; 0 for no bound
  /// @param maxSeconds seconds of training and tuning together; 0 for no bound
  /// @param target value of the first validation metric that is good enough; NaN for none
  public record Stop(double maxEpochs, double maxSeconds, double target) {}

  /// What a worker's program may take.
  ///
  /// @param clockTimeoutSeconds how long a clock, a measurement or an evaluation may run before its
  ///   worker counts as lost; 0 for no bound
  public record Limits(double clockTimeoutSeconds) {
    /// No bounds.
    public static final Limits NONE = new Limits(0);
  }

  /// How the job survives its workers.
  ///
  /// @param keep how many durable checkpoints of the mainline to keep, 1 to 100
  public record Checkpoints(int keep) {}
}
