package dev.espalier.api.rest;

import dev.espalier.api.model.Shape;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The mainline's settings over time, and the path to the job's result.
///
/// @param steps settings of the mainline as it is now, for people
/// @param result what leads to the job's model, exactly; null before the first evaluation, and
///   where only the steps are told
public record ScheduleView(String job, List<Step> steps, @Nullable Result result) {
  public ScheduleView {
    steps = List.copyOf(steps);
  }

  /// {@return what to train with again: the path to the result, or the steps where there is none}
  public List<ResultStep> found() {
    return result != null
        ? result.steps()
        : steps.stream()
            .map(step -> new ResultStep(step.fromClock(), step.setting(), null))
            .toList();
  }

  /// One setting and where it starts.
  ///
  /// @param fromClock mainline clock, ancestors' clocks included
  /// @param fromEpoch the same in passes over the training data
  public record Step(long fromClock, double fromEpoch, int branch, Map<String, Double> setting) {}

  /// The path from the untrained model to the job's result.
  ///
  /// @param start that it belongs to, from 1
  /// @param clock mainline clock of the result
  /// @param epoch the same in passes over the training data
  public record Result(int start, long clock, double epoch, List<ResultStep> steps) {
    public Result {
      steps = List.copyOf(steps);
    }
  }

  /// One setting with one shape of its learning rate.
  ///
  /// @param cooldown over which mainline clocks the rate falls linearly to zero; null for a
  ///   constant rate
  public record ResultStep(
      long fromClock, Map<String, Double> setting, Shape.@Nullable LinearToZero cooldown) {}
}
