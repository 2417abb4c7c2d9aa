package dev.espalier.tuner.core.policy;

import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.List;

/// Opens sessions of tuning policies by name.
public final class Policies {
  /// The names that `open` knows.
  public static final List<String> NAMES =
      List.of("racing", "mltuner", "fixed", "random", "grid", "bayes", "hyperband", "asha", "pbt");

  private Policies() {}

  /// {@return the version of a policy; it grows by one whenever the same events would give other
  /// decisions, so that a recording tells whether it was made by what is here}
  public static int version(String policy) {
    return switch (policy) {
      case "racing" -> 5;
      default -> NAMES.contains(policy) ? 1 : 0;
    };
  }

  /// Opens the session of a job at its very beginning.
  ///
  /// @throws IllegalArgumentException when there is no policy of the plan's name
  public static TuningSession open(JobPlan plan) {
    return switch (plan.policy()) {
      case "racing" -> new JobSession(plan, RacingCourse::new);
      case "mltuner" -> onMainline(plan, new TunerStrategy(plan));
      case "fixed" -> onMainline(plan, new FixedStrategy(plan));
      case "random", "grid", "bayes", "hyperband", "asha", "pbt" ->
          new JobSession(
              plan, (board, checkpoints, host) -> new PopulationCourse(board, checkpoints, host));
      default ->
          throw new IllegalArgumentException(
              "policy must be one of " + NAMES + " but is " + plan.policy());
    };
  }

  private static TuningSession onMainline(JobPlan plan, Strategy strategy) {
    return new JobSession(
        plan, (board, checkpoints, host) -> new MainlineCourse(strategy, board, checkpoints, host));
  }
}
