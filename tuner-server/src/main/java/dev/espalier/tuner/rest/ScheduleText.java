package dev.espalier.tuner.rest;

import dev.espalier.api.rest.ScheduleView;
import java.util.List;
import java.util.TreeSet;

/// A schedule as text for other programs.
final class ScheduleText {
  private ScheduleText() {}

  /// {@return one line per step: clock, epoch, branch, then every tunable by name}
  static String csv(ScheduleView schedule) {
    List<String> tunables = tunables(schedule);
    var text = new StringBuilder("fromClock,fromEpoch,branch");
    tunables.forEach(name -> text.append(',').append(name));
    text.append("\r\n");
    for (ScheduleView.Step step : schedule.steps()) {
      text.append(step.fromClock()).append(',').append(step.fromEpoch()).append(',');
      text.append(step.branch());
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
    return text.append("}\n").toString();
  }

  private static void method(ScheduleView schedule, String name, StringBuilder text) {
    text.append("\n  /// {@return ").append(name).append(" at a clock of the mainline}\n");
    text.append("  public static double ").append(identifier(name)).append("(long clock) {\n");
    double first = Double.NaN;
    for (ScheduleView.Step step : schedule.steps().reversed()) {
      Double value = step.setting().get(name);
      if (value == null) {
        continue;
      }
      first = value;
      if (step.fromClock() > 0) {
        text.append("    if (clock >= ").append(step.fromClock()).append("L) {\n");
        text.append("      return ").append(value).append(";\n    }\n");
      }
    }
    text.append("    return ")
        .append(Double.isNaN(first) ? "Double.NaN" : first)
        .append(";\n  }\n");
  }

  private static String identifier(String name) {
    String plain = name.replaceAll("[^A-Za-z0-9_]", "_");
    return Character.isJavaIdentifierStart(plain.charAt(0)) ? plain : "_" + plain;
  }

  private static List<String> tunables(ScheduleView schedule) {
    var names = new TreeSet<String>();
    schedule.steps().forEach(step -> names.addAll(step.setting().keySet()));
    return List.copyOf(names);
  }
}
