package dev.espalier.api.rest;

import dev.espalier.api.model.Shape;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
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

  /// A result that has changed: what of its path is new. Paths grow with the job, and mostly at
  /// their end.
  ///
  /// @param start that it belongs to, from 1
  /// @param clock mainline clock of the result
  /// @param epoch the same in passes over the training data
  /// @param kept how many steps of the path before stay, from its beginning
  /// @param steps that follow on these
  public record ResultChange(
      int start, long clock, double epoch, int kept, List<ResultStep> steps) {
    public ResultChange {
      steps = List.copyOf(steps);
    }

    /// {@return what leads from one path to another}
    public static ResultChange between(List<ResultStep> before, Result now) {
      int kept = 0;
      int most = Math.min(before.size(), now.steps().size());
      while (kept < most && before.get(kept).equals(now.steps().get(kept))) {
        kept++;
      }
      return new ResultChange(
          now.start(),
          now.clock(),
          now.epoch(),
          kept,
          now.steps().subList(kept, now.steps().size()));
    }

    /// {@return the result that this one has led to}
    public Result after(List<ResultStep> before) {
      return new Result(
          start, clock, epoch, Stream.concat(before.stream().limit(kept), steps.stream()).toList());
    }
  }

  /// One setting with one shape of its learning rate.
  ///
  /// @param cooldown over which mainline clocks the rate falls linearly to zero; null for a
  ///   constant rate
  public record ResultStep(
      long fromClock, Map<String, Double> setting, Shape.@Nullable LinearToZero cooldown) {}
}
