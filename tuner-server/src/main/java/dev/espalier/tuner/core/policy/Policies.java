package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.PolicyName;
import dev.espalier.tuner.core.policy.job.JobSession;
import dev.espalier.tuner.core.policy.mainline.MainlineCourse;
import dev.espalier.tuner.core.policy.population.PopulationCourse;
import dev.espalier.tuner.core.policy.racing.RacingCourse;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.TuningSession;

/// Opens sessions of tuning policies by name.
public final class Policies {
  private Policies() {}

  /// {@return the version of a policy; it grows by one whenever the same events would give other
  /// decisions, so that a recording tells whether it was made by what is here}
  public static int version(String policy) {
    return switch (policy) {
      case PolicyName.RACING -> 16;
      case PolicyName.RANDOM, PolicyName.GRID, PolicyName.BAYES -> 4;
      case PolicyName.MLTUNER, PolicyName.FIXED, PolicyName.HYPERBAND, PolicyName.ASHA -> 5;
      case PolicyName.PBT -> 6;
      default -> PolicyName.ALL.contains(policy) ? 1 : 0;
    };
  }

  /// Opens the session of a job at its very beginning.
  ///
  /// @throws IllegalArgumentException when there is no policy of the plan's name
  public static TuningSession open(JobPlan plan) {
    return switch (plan.policy()) {
      case PolicyName.RACING -> new JobSession(plan, RacingCourse::new);
      case PolicyName.MLTUNER -> new JobSession(plan, MainlineCourse::tuned);
      case PolicyName.FIXED -> new JobSession(plan, MainlineCourse::fixed);
      case PolicyName.RANDOM,
          PolicyName.GRID,
          PolicyName.BAYES,
          PolicyName.HYPERBAND,
          PolicyName.ASHA,
          PolicyName.PBT ->
          new JobSession(plan, PopulationCourse::new);
      default ->
          throw new IllegalArgumentException(
              "policy must be one of " + PolicyName.ALL + " but is " + plan.policy());
    };
  }
}
