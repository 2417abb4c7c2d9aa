package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.Prior;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.TimeModel;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SimulatedWorkers;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Jobs for tests: 2 workers, 6400 samples, so 100 clocks an epoch at a batch size of 32.
public final class Jobs {
  public static final TimeModel TIME = new TimeModel(0.002, 0.00005);
  public static final long SAMPLES = 6400;

  public static final SearchSpace SPACE =
      new SearchSpace(
          List.of(
              new Tunable.LogRange("learningRate", 1e-5, 10, 0.01),
              new Tunable.LinearRange("momentum", 0, 0.95, 0.5),
              new Tunable.Choice("batchSize", List.of(8.0, 32.0, 128.0), 32)));

  public static final JobPlan.Options OPTIONS =
      new JobPlan.Options(10, true, 20, 10, 0, 12, 5, 0.1, 2, 3, 10);

  public static final JobPlan.Runs RUNS =
      new JobPlan.Runs(6, 9, 1, 3, 3, 3, 5, 1, 0.2, 0.25, 1.2, false, false);

  private Jobs() {}

  public static JobPlan tuned(long seed) {
    return plan("mltuner", "random", SPACE, Setting.EMPTY, List.of(), seed, OPTIONS, 0);
  }

  public static JobPlan tuned(long seed, JobPlan.Options options, double maxEpochs) {
    return plan("mltuner", "random", SPACE, Setting.EMPTY, List.of(), seed, options, maxEpochs);
  }

  public static JobPlan fixed(Setting setting, double maxEpochs) {
    return plan("fixed", "random", SPACE, setting, List.of(), 1, OPTIONS, maxEpochs);
  }

  public static JobPlan plan(
      String policy,
      String searcher,
      SearchSpace space,
      Setting base,
      List<JobPlan.ScheduleStep> schedule,
      long seed,
      JobPlan.Options options,
      double maxEpochs) {
    return new JobPlan(
        policy,
        searcher,
        space,
        base,
        schedule,
        new MetricSpec("loss", Goal.MINIMIZE, MetricSpec.Aggregate.MEAN),
        2,
        seed,
        options,
        RUNS,
        maxEpochs,
        0,
        Double.NaN,
        2,
        Optional.of(TIME));
  }

  /// {@return the same plan with other bounds}
  public static JobPlan with(JobPlan plan, double maxSeconds, double target) {
    return copy(plan, maxSeconds, target, plan.time(), plan.prior());
  }

  /// {@return the same plan with the time of the clock on the wall}
  public static JobPlan withoutTimeModel(JobPlan plan) {
    return copy(plan, plan.maxSeconds(), plan.target(), Optional.empty(), plan.prior());
  }

  /// {@return the same plan with what earlier jobs found}
  public static JobPlan with(JobPlan plan, Prior prior) {
    return copy(plan, plan.maxSeconds(), plan.target(), plan.time(), List.of(prior));
  }

  private static JobPlan copy(
      JobPlan plan, double maxSeconds, double target, Optional<TimeModel> time, List<Prior> prior) {
    return new JobPlan(
        plan.policy(),
        plan.searcher(),
        plan.space(),
        plan.base(),
        plan.schedule(),
        plan.validation(),
        plan.workers(),
        plan.seed(),
        plan.options(),
        plan.runs(),
        plan.maxEpochs(),
        maxSeconds,
        target,
        plan.keepCheckpoints(),
        time,
        plan.racing(),
        prior,
        plan.holdOut());
  }

  public static Setting setting(double learningRate) {
    return Setting.of(Map.of("learningRate", learningRate));
  }

  public static SimulatedWorkers workers(JobPlan plan, SimulatedWorkers.Model model) {
    return workers(plan, model, 7);
  }

  public static SimulatedWorkers workers(
      JobPlan plan, SimulatedWorkers.Model model, int pieceClocks) {
    return new SimulatedWorkers(
        Policies.open(plan), model, TIME, "loss", plan.workers(), SAMPLES, pieceClocks);
  }

  /// {@return whether what a decision says names the branch that it is on}
  public static boolean namesItsBranch(Decision decision) {
    return decision.outcome().contains("branch #" + decision.evidence().get("branch") + " ");
  }
}
