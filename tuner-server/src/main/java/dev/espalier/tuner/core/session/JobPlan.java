package dev.espalier.tuner.core.session;

import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.PolicyName;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.RacingOptions;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.TimeModel;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a session knows of its job before the first event.
///
/// @param space the tunables that are searched
/// @param base values of tunables that are not searched, put under every setting
/// @param schedule for a fixed schedule: setting by mainline clock, ascending, first at 0
/// @param validation the metric that judges the model
/// @param options of the policies with one mainline
/// @param runs options of the policies with a population of runs
/// @param maxEpochs 0 for no bound
/// @param maxSeconds 0 for no bound
/// @param target NaN for none
/// @param keepCheckpoints durable checkpoints to keep, >= 1
/// @param racing constants of the `racing` policy
/// @param prior what earlier jobs of the program found, best first
/// @param holdOut whether samples are held out though nothing is judged by them
public record JobPlan(
    String policy,
    String searcher,
    SearchSpace space,
    Setting base,
    List<ScheduleStep> schedule,
    MetricSpec validation,
    int workers,
    long seed,
    Options options,
    Runs runs,
    double maxEpochs,
    double maxSeconds,
    double target,
    int keepCheckpoints,
    Optional<TimeModel> time,
    RacingOptions racing,
    List<Prior> prior,
    boolean holdOut) {
  public JobPlan {
    schedule = List.copyOf(schedule);
    prior = List.copyOf(prior);
  }

  /// A job of a policy that does not race, or races with the usual constants and no experience.
  public JobPlan(
      String policy,
      String searcher,
      SearchSpace space,
      Setting base,
      List<ScheduleStep> schedule,
      MetricSpec validation,
      int workers,
      long seed,
      Options options,
      Runs runs,
      double maxEpochs,
      double maxSeconds,
      double target,
      int keepCheckpoints,
      Optional<TimeModel> time) {
    this(
        policy,
        searcher,
        space,
        base,
        schedule,
        validation,
        workers,
        seed,
        options,
        runs,
        maxEpochs,
        maxSeconds,
        target,
        keepCheckpoints,
        time,
        RacingOptions.DEFAULTS,
        List.of(),
        false);
  }

  /// {@return which samples workers judge branches by, and keep back for it where they must}
  public HeldOut heldOut() {
    return holdOut || policy.equals(PolicyName.RACING) ? racing.heldOut() : HeldOut.NOTHING;
  }

  /// {@return the value of the metric that judges the model; NaN where there is none, and where it
  /// is infinite, which is how a model that has overflowed looks and no result to go by}
  public double judged(Map<String, Double> metrics) {
    double value = metrics.getOrDefault(validation.name(), Double.NaN);
    return Double.isFinite(value) ? value : Double.NaN;
  }

  /// {@return the same plan for the policy of another name}
  public JobPlan withPolicy(String name) {
    return new JobPlan(
        name,
        searcher,
        space,
        base,
        schedule,
        validation,
        workers,
        seed,
        options,
        runs,
        maxEpochs,
        maxSeconds,
        target,
        keepCheckpoints,
        time,
        racing,
        prior,
        holdOut);
  }

  /// One step of a schedule: from a clock of the mainline on, up to the next step.
  ///
  /// @param shape of the learning rate, over clocks of the mainline
  public record ScheduleStep(long fromClock, Setting setting, Shape shape) {
    /// A step at a constant rate.
    public ScheduleStep(long fromClock, Setting setting) {
      this(fromClock, setting, Shape.CONSTANT);
    }
  }

  /// Constants of the `mltuner` policy; see `JobSpec.Tuning` for units and bounds.
  public record Options(
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
      int maxRetunes) {}

  /// What bounds the runs of a population.
  ///
  /// @param maxRuns runs that may be started from the beginning, >= 1
  /// @param maxEpochs passes over the data of the longest run; infinite when only its plateau ends
  ///   it
  /// @param minEpochs of the shortest run of `hyperband` and `asha`, > 0 and <= maxEpochs
  /// @param eta of the runs at a rung the share of 1 / eta goes on, >= 2
  /// @param patience a run is complete after so many results without a new best, >= 1
  /// @param gridPoints values per continuous tunable of `grid`, >= 2
  /// @param populationSize members of a `pbt` population, >= 2
  /// @param intervalEpochs passes over the data between two decisions about a member, > 0
  /// @param truncation share of the population that is replaced by copies of its best, in (0, 0.5]
  /// @param resample probability that a tunable of a copy is drawn afresh, 0 to 1
  /// @param perturbation f in (1, 2): a tunable of a copy is multiplied by f or by 2 - f
  /// @param defaultFirst whether the first run trains the default setting
  /// @param isEndless whether new runs are started until the job's time is up, beyond `maxRuns`
  public record Runs(
      int maxRuns,
      double maxEpochs,
      double minEpochs,
      int eta,
      int patience,
      int gridPoints,
      int populationSize,
      double intervalEpochs,
      double truncation,
      double resample,
      double perturbation,
      boolean defaultFirst,
      boolean isEndless) {}
}
