package dev.espalier.tuner.core.policy.race;

import dev.espalier.tuner.core.policy.board.Board;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/// What the bounds of the job and the tuning budget still let a race run.
final class Allowance {
  private final Board board;
  private final Pace pace;
  private final TuningBudget budget;
  private final Race.Plan plan;
  private final Field field;

  Allowance(Board board, Pace pace, TuningBudget budget, Race.Plan plan, Field field) {
    this.board = board;
    this.pace = pace;
    this.budget = budget;
    this.plan = plan;
    this.field = field;
  }

  /// {@return why an entrant cannot run a lap; empty when it can}
  ///
  /// @param seconds of the lap of each
  Optional<String> reasonAgainstLap(Entrant next, ToDoubleFunction<Entrant> seconds) {
    if (board.isTimeUp()) {
      // No clocks are sent any more, so a lap that has none yet would never end.
      return Optional.of("the job's time is up");
    }
    if (board.clocksLeft(next.branch()) == 0) {
      return Optional.of("the job's epochs are used up");
    }
    return isPaid(
            seconds.applyAsDouble(next) + probeSeconds(next), leastKept(Set.of(next), seconds))
        ? Optional.empty()
        : Optional.of("the tuning budget is used up");
  }

  /// {@return why those that are left cannot all run another lap; empty when they can}
  ///
  /// @param seconds of the lap of each
  Optional<String> reasonAgainstRung(ToDoubleFunction<Entrant> seconds) {
    List<Entrant> left = field.left();
    double cost =
        left.stream()
            .mapToDouble(entrant -> seconds.applyAsDouble(entrant) + probeSeconds(entrant))
            .sum();
    if (!isPaid(cost, leastKept(left, seconds))) {
      return Optional.of("another rung would exceed the tuning budget");
    }
    if (board.isTimeUp()) {
      return Optional.of("the time is up");
    }
    return left.stream().allMatch(entrant -> fits(entrant, seconds.applyAsDouble(entrant)))
        ? Optional.empty()
        : Optional.of("another rung would go beyond the job's epochs");
  }

  private boolean isPaid(double seconds, double kept) {
    return !plan.isBounded() || budget.allows(seconds, kept);
  }

  private double probeSeconds(Entrant entrant) {
    return pace.secondsOfProbe(plan.probeSamples(), entrant.branch().setting(), board.workload());
  }

  /// One entrant is kept in any case, and what it has run by then is training.
  ///
  /// @param runners who will have run another lap by then
  private double leastKept(Collection<Entrant> runners, ToDoubleFunction<Entrant> seconds) {
    return field.left().stream()
        .mapToDouble(entrant ->
            entrant.branch().seconds()
                + (runners.contains(entrant) ? seconds.applyAsDouble(entrant) : 0))
        .min()
        .orElse(0);
  }

  private boolean fits(Entrant entrant, double seconds) {
    double perClock = pace.secondsPerClock(entrant.branch().setting()).orElse(0.0);
    return seconds <= board.clocksLeft(entrant.branch()) * perClock;
  }
}
