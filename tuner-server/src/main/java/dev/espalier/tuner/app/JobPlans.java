package dev.espalier.tuner.app;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.JobDefaults;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import java.util.List;

/// From what a user asked for to what a session needs to know.
public final class JobPlans {
  private JobPlans() {}

  /// {@return the version of a policy that is here; a job can only go on with the one it began
  /// with}
  public static int policyVersion(String policy) {
    return Policies.version(policy);
  }

  /// {@return the plan of a checked job}
  ///
  /// @param program the descriptor of the job's program
  public static JobPlan of(JobSpec spec, ProgramDescriptor program) {
    JobSpec.Tuning tuning = spec.tuning();
    List<Tunable> offered = spec.tunables().isEmpty() ? program.tunables() : spec.tunables();
    Setting defaults = new SearchSpace(offered).defaults();
    List<Tunable> searched =
        offered.stream()
            .filter(tunable -> !tuning.setting().values().containsKey(tunable.name()))
            .toList();
    return new JobPlan(
        tuning.policy(),
        tuning.searcher(),
        new SearchSpace(searched),
        defaults.with(tuning.setting()),
        tuning.schedule().stream()
            .map(entry ->
                new JobPlan.ScheduleStep(entry.fromClock(), entry.setting(), entry.shape()))
            .toList(),
        program.validation().getFirst(),
        spec.workers(),
        spec.seed(),
        new JobPlan.Options(
            tuning.windows(),
            tuning.startingLoss(),
            tuning.probeClocks(),
            tuning.divergenceFactor(),
            tuning.trialSeconds(),
            tuning.maxTrials(),
            tuning.stopBest(),
            tuning.stopWithin(),
            tuning.retunePlateauEpochs(),
            tuning.convergePlateauEpochs(),
            tuning.maxRetunes()),
        runs(spec),
        spec.stop().maxEpochs(),
        spec.stop().maxSeconds(),
        spec.stop().target(),
        spec.checkpoints().keep(),
        spec.time(),
        tuning.racing(),
        spec.prior(),
        tuning.holdOut());
  }

  private static JobPlan.Runs runs(JobSpec spec) {
    JobSpec.Runs runs = spec.tuning().runs();
    double longest = runs.maxEpochs() > 0 ? runs.maxEpochs() : spec.stop().maxEpochs();
    boolean mayEndAtPlateau = List.of("random", "grid", "bayes").contains(spec.tuning().policy());
    if (longest <= 0) {
      longest = mayEndAtPlateau ? Double.POSITIVE_INFINITY : JobDefaults.MAX_EPOCHS;
    }
    double fourRungs = longest / Math.pow(runs.eta(), 3);
    double shortest = runs.minEpochs() > 0 ? runs.minEpochs() : Math.min(1, fourRungs);
    return new JobPlan.Runs(
        runs.max() > 0 ? runs.max() : JobDefaults.MAX_TRIALS,
        longest,
        Math.min(shortest, longest),
        runs.eta(),
        spec.tuning().convergePlateauEpochs(),
        runs.gridPoints(),
        runs.population(),
        runs.intervalEpochs(),
        runs.truncation(),
        runs.resample(),
        runs.perturbation(),
        runs.defaultFirst(),
        runs.max() == 0 && spec.stop().maxSeconds() > 0);
  }

  static double tuningShare(SessionEffect.TimeSpent spent) {
    double all = spent.tuningSeconds() + spent.trainingSeconds() + spent.evaluationSeconds();
    return all > 0 ? Math.max(0, spent.tuningSeconds() / all) : 0;
  }
}
