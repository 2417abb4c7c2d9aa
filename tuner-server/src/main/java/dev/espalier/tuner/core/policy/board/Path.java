package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.tuner.core.session.JobPlan.ScheduleStep;
import java.util.ArrayList;
import java.util.List;

/// The settings and shapes of rates that a branch has run with, its ancestors' first.
///
/// Whoever trains from the untrained model along it gets the model of the branch again, whatever
/// else was tried and given up: what was left is not on the path.
final class Path {
  private final List<ScheduleStep> before;
  private final Setting setting;
  private final List<Stretch> own = new ArrayList<>();

  /// Clocks under one shape, both in clocks of the branch itself.
  private record Stretch(long fromClock, Shape shape) {}

  /// @param before what led to the branch's beginning
  Path(List<ScheduleStep> before, Setting setting) {
    this.before = List.copyOf(before);
    this.setting = setting;
  }

  /// Runs on from an own clock with a shape over own clocks.
  void goOn(long fromClock, Shape shape) {
    if (own.isEmpty() || !own.getLast().shape().equals(shape)) {
      own.add(new Stretch(fromClock, shape));
    }
  }

  /// {@return the steps, ascending, in clocks of the mainline}
  ///
  /// @param forkClock the mainline's clock at the branch's beginning
  List<ScheduleStep> steps(long forkClock) {
    var steps = new ArrayList<ScheduleStep>();
    for (ScheduleStep step : before) {
      if (step.fromClock() < forkClock) {
        steps.add(step);
      }
    }
    for (Stretch stretch : own) {
      var step =
          new ScheduleStep(
              forkClock + stretch.fromClock(), setting, stretch.shape().shifted(forkClock));
      if (!steps.isEmpty() && steps.getLast().fromClock() == step.fromClock()) {
        steps.removeLast();
      }
      if (steps.isEmpty() || !goesOn(steps.getLast(), step)) {
        steps.add(step);
      }
    }
    return List.copyOf(steps);
  }

  private static boolean goesOn(ScheduleStep former, ScheduleStep next) {
    return former.setting().equals(next.setting())
        && (former.shape().equals(next.shape())
            || (next.shape() instanceof Shape.Constant
                && isOver(former.shape(), next.fromClock())));
  }

  private static boolean isOver(Shape shape, long clock) {
    return switch (shape) {
      case Shape.Constant _ -> true;
      case Shape.LinearToZero(long _, long until) -> clock >= until;
    };
  }
}
