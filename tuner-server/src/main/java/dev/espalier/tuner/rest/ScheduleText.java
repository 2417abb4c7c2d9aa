package dev.espalier.tuner.rest;

import dev.espalier.api.model.Tunable;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.ScheduleView.ResultStep;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/// The schedule that gives a job's result, as text for other programs.
final class ScheduleText {
  private ScheduleText() {}

  /// {@return one line per step: the clock it begins at, the clocks over which its learning rate
  /// falls to zero, empty where it is constant, then every tunable by name}
  static String csv(ScheduleView schedule) {
    List<String> tunables = tunables(schedule);
    var text = new StringBuilder("fromClock,cooldownFromClock,cooldownUntilClock");
    tunables.forEach(name -> text.append(',').append(name));
    text.append("\r\n");
    for (ResultStep step : schedule.found()) {
      text.append(step.fromClock()).append(',');
      var fall = step.cooldown();
      text.append(fall == null ? "," : fall.fromClock() + "," + fall.untilClock());
      for (String name : tunables) {
        Double value = step.setting().get(name);
        text.append(',').append(value == null ? "" : value);
      }
      text.append("\r\n");
    }
    return text.toString();
  }

  /// {@return a class with one method per tunable that takes a clock}
  static String java(ScheduleView schedule) {
    var text =
        new StringBuilder()
            .append("/// The schedule that Espalier found in ")
            .append(schedule.job())
            .append(".\npublic final class FoundSchedule {\n  private FoundSchedule() {}\n");
    for (String name : tunables(schedule)) {
      method(schedule, name, text);
    }
    if (schedule.found().stream().anyMatch(step -> step.cooldown() != null)) {
      text.append(
          """

            /// What a rate is multiplied with that falls to zero between two clocks.
            private static double cooldown(long clock, long from, long until) {
              return clock > from && clock < until ? (double) (until - clock) / (until - from) : 1;
            }
          """);
    }
    return text.append("}\n").toString();
  }

  private static void method(ScheduleView schedule, String name, StringBuilder text) {
    text.append("\n  /// {@return ").append(name).append(" at a clock of the mainline}\n");
    text.append("  public static double ").append(identifier(name)).append("(long clock) {\n");
    String first = "Double.NaN";
    for (ResultStep step : merged(schedule, name).reversed()) {
      first = value(step, name);
      if (step.fromClock() > 0) {
        text.append("    if (clock >= ").append(step.fromClock()).append("L) {\n");
        text.append("      return ").append(first).append(";\n    }\n");
      }
    }
    text.append("    return ").append(first).append(";\n  }\n");
  }

  /// Steps at which a tunable changes.
  private static List<ResultStep> merged(ScheduleView schedule, String name) {
    var steps = new ArrayList<ResultStep>();
    for (ResultStep step : schedule.found()) {
      boolean isKnown = step.setting().get(name) != null;
      if (isKnown && (steps.isEmpty() || !value(steps.getLast(), name).equals(value(step, name)))) {
        steps.add(step);
      }
    }
    return steps;
  }

  private static String value(ResultStep step, String name) {
    var fall = step.cooldown();
    return step.setting().get(name)
        + (fall == null || !name.equals(Tunable.LEARNING_RATE)
            ? ""
            : " * cooldown(clock, " + fall.fromClock() + "L, " + fall.untilClock() + "L)");
  }

  private static String identifier(String name) {
    String plain = name.replaceAll("[^A-Za-z0-9_]", "_");
    return Character.isJavaIdentifierStart(plain.charAt(0)) ? plain : "_" + plain;
  }

  private static List<String> tunables(ScheduleView schedule) {
    var names = new TreeSet<String>();
    schedule.found().forEach(step -> names.addAll(step.setting().keySet()));
    return List.copyOf(names);
  }
}
