package dev.espalier.tuner.core.population;

import dev.espalier.api.model.Setting;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/// What a planner wants next, and why.
///
/// @param step what to train
/// @param retired runs that will never be continued or copied, this one's predecessors included;
///   whatever they hold may go
/// @param rule the rule that decided, such as `asha.promote`; `ROUTINE` for what needs no decision
/// @param why one sentence for people
/// @param evidence what the rule compared, in reading order; no NaN and no infinity
public record Order(
    Step step, List<Integer> retired, String rule, String why, Map<String, Object> evidence) {
  /// The rule of an order that only goes on with what was begun.
  public static final String ROUTINE = "routine";

  public Order {
    retired = List.copyOf(retired);
    evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
  }

  /// What to train.
  public sealed interface Step {
    /// Starts a run from the initial model.
    record Start(Setting setting, double untilEpochs) implements Step {}

    /// Trains a run on.
    record Continue(int run, double untilEpochs) implements Step {}

    /// Starts a run from a copy of another, in the place of a third.
    ///
    /// @param source the run that is copied as it stands
    /// @param replaced the run whose member it becomes
    record Copy(int source, int replaced, Setting setting, double untilEpochs) implements Step {}

    /// Nothing is left to do.
    record Done() implements Step {}
  }

  static Order start(Setting setting, double untilEpochs, String rule, String why) {
    return new Order(new Step.Start(setting, untilEpochs), List.of(), rule, why, Map.of());
  }

  static Order done(String rule, String why) {
    return new Order(new Step.Done(), List.of(), rule, why, Map.of());
  }

  Order retiring(List<Integer> runs) {
    return new Order(step, runs, rule, why, evidence);
  }

  /// {@return a score as JSON can hold it}
  static Object readable(double score) {
    return Double.isFinite(score) ? (Object) score : (Object) Double.toString(score);
  }

  /// {@return numbers and scores of runs, in their order}
  static Map<String, Object> scores(List<Run> runs, ToDoubleFunction<Run> scoreOf) {
    var scores = new LinkedHashMap<String, Object>();
    runs.forEach(run -> scores.put("run " + run.number(), readable(scoreOf.applyAsDouble(run))));
    return scores;
  }
}
