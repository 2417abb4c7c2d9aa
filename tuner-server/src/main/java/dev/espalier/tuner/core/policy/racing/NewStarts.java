package dev.espalier.tuner.core.policy.racing;

import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.race.Move;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Which setting a job that overfits begins anew with.
///
/// Where training overfits, what a setting is worth shows in a whole run from the untrained model:
/// in the best validation result on its way. Such runs are short, so this is a pattern search over
/// them (Hooke and Jeeves 1961): from the setting of the best run one step at a time; a step that
/// paid is taken again, one that did not waits until all others were taken, and no setting runs
/// twice. First come the steps that are known to help against overfitting, the cheaper one before
/// the other: a smaller batch, whose noise regularises (Smith and Le 2018), and which at the scaled
/// rate takes at most twice as long to its best; then a calmer rate, which may take as many times
/// longer as it is calmer. Their opposites come last.
///
/// Before all of them comes the default, where races led to longer steps after it had come most of
/// the way by itself: it was left for what was better in a race, before it could show how far it
/// gets. A default that is far too small for that tells nothing, and takes long. Deterministic.
final class NewStarts {
  /// How much calmer or bolder a step makes the rate.
  static final double RATE_FACTOR = 3;

  /// The part of what the first run gained in all that makes a default worth a run of its own.
  private static final double MOST_OF_THE_WAY = 0.5;

  /// A calmer run takes as many times longer to its best as it is calmer, so no step is larger than
  /// the time that is left allows; one that is smaller than this tells nothing.
  private static final double LEAST_FACTOR = 1.25;

  /// The part of what is left that a run may need to its best.
  private static final double IN_TIME = 0.9;

  /// Settings whose values differ by less than this factor are the same.
  private static final double SAME = 1.01;

  private enum Step {
    SMALLER_BATCH,
    CALMER,
    LARGER_BATCH,
    BOLDER
  }

  private record Run(Setting setting, double value) {}

  private final Neighbourhood neighbourhood;
  private final Goal goal;
  private final Setting defaults;
  private final List<Setting> tried = new ArrayList<>();
  private final List<Step> order = new ArrayList<>(List.of(Step.values()));
  private Optional<Run> best = Optional.empty();
  private Optional<Run> running = Optional.empty();
  private Optional<Step> step = Optional.empty();
  private double first = Double.NaN;
  private double bestOfDefaults = Double.NaN;
  private boolean hasLeftDefaults;
  private double calmerFactor = RATE_FACTOR;

  /// @param defaults what the job began with
  NewStarts(Neighbourhood neighbourhood, Goal goal, Setting defaults) {
    this.neighbourhood = neighbourhood;
    this.goal = goal;
    this.defaults = defaults;
  }

  /// Takes in a validation result of the present run.
  ///
  /// @param setting that it was reached with
  /// @param value NaN for none
  void validated(Setting setting, double value) {
    hasLeftDefaults |= !setting.equals(defaults);
    if (Double.isNaN(first)) {
      first = value;
    }
    if (!hasLeftDefaults
        && (Double.isNaN(bestOfDefaults) || goal.isBetter(value, bestOfDefaults))) {
      bestOfDefaults = value;
    }
    if (isBetter(value, running)) {
      running = Optional.of(new Run(setting, value));
    }
  }

  private boolean isBetter(double value, Optional<Run> than) {
    return !Double.isNaN(value) && than.map(run -> goal.isBetter(value, run.value())).orElse(true);
  }

  /// Ends the present run, and begins the next one if there is one.
  ///
  /// @param setting of the present run at its end
  /// @param isPossible whether a job can train with a setting at all
  /// @param bestsLeft how many times what is left of the job holds what the best run took to its
  ///   best
  /// @return what the next run begins with; empty when all neighbours of the best run were tried
  Optional<Setting> next(Setting setting, Predicate<Setting> isPossible, double bestsLeft) {
    calmerFactor = Math.min(RATE_FACTOR, IN_TIME * bestsLeft);
    Setting ran = running.map(Run::setting).orElse(setting);
    boolean paid = running.filter(run -> isBetter(run.value(), best)).isPresent();
    if (paid || best.isEmpty()) {
      best = running.or(() -> Optional.of(new Run(ran, Double.NaN)));
    }
    tried.add(ran);
    step.ifPresent(taken -> move(taken, paid));
    running = Optional.empty();
    if (tried.size() == 1 && isDefaultWorthARun() && isPossible.test(defaults)) {
      step = Optional.empty();
      tried.add(defaults);
      return Optional.of(defaults);
    }
    step =
        order.stream()
            .filter(way -> take(way).filter(isPossible).filter(this::isNew).isPresent())
            .findFirst();
    Optional<Setting> fresh = step.flatMap(this::take);
    fresh.ifPresent(tried::add);
    return fresh;
  }

  private boolean isDefaultWorthARun() {
    return best.filter(
            run -> Move.reachOf(run.setting()) >= RATE_FACTOR * Move.reachOf(defaults) / SAME)
        .filter(run ->
            Math.abs(bestOfDefaults - first) >= MOST_OF_THE_WAY * Math.abs(run.value() - first))
        .isPresent();
  }

  private void move(Step taken, boolean paid) {
    order.remove(taken);
    order.add(paid ? 0 : order.size(), taken);
  }

  private Optional<Setting> take(Step way) {
    return best.map(Run::setting)
        .flatMap(from ->
            switch (way) {
              case SMALLER_BATCH -> neighbourhood.beside(from, Tunable.BATCH_SIZE, false);
              case LARGER_BATCH -> neighbourhood.beside(from, Tunable.BATCH_SIZE, true);
              case CALMER ->
                  calmerFactor >= LEAST_FACTOR
                      ? neighbourhood.calmer(from, calmerFactor)
                      : Optional.empty();
              case BOLDER -> neighbourhood.bolder(from, RATE_FACTOR);
            });
  }

  private boolean isNew(Setting setting) {
    return tried.stream().noneMatch(old -> isSame(old, setting));
  }

  private static boolean isSame(Setting one, Setting other) {
    return one.values().entrySet().stream()
        .allMatch(entry -> {
          double value = entry.getValue();
          double beside = other.valueOr(entry.getKey(), value);
          return value == beside
              || (value > 0 && beside > 0 && Math.max(value / beside, beside / value) < SAME);
        });
  }
}
