package dev.espalier.api.model;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.TreeMap;

/// The ordered tunables that one job searches.
///
/// @param tunables names are unique; may be empty when nothing is searched
public record SearchSpace(List<Tunable> tunables) {
  /// Points of a continuous axis of the searcher `grid`: ten steps, both bounds included.
  public static final int GRID_POINTS = 11;

  public SearchSpace {
    tunables = List.copyOf(tunables);
    var names = new HashSet<String>();
    for (Tunable tunable : tunables) {
      if (!names.add(tunable.name())) {
        throw new IllegalArgumentException("tunable " + tunable.name() + " occurs twice");
      }
    }
  }

  public int dimensions() {
    return tunables.size();
  }

  /// {@return the setting of all defaults}
  public Setting defaults() {
    var values = new TreeMap<String, Double>();
    tunables.forEach(tunable -> values.put(tunable.name(), tunable.defaultValue()));
    return new Setting(values);
  }

  /// {@return the setting at a point of the unit cube}
  ///
  /// @param unit one coordinate in [0, 1] per tunable, in order
  public Setting fromUnit(double[] unit) {
    if (unit.length != tunables.size()) {
      throw new IllegalArgumentException(
          "need " + tunables.size() + " coordinates but got " + unit.length);
    }
    var values = new TreeMap<String, Double>();
    for (int i = 0; i < unit.length; i++) {
      values.put(tunables.get(i).name(), tunables.get(i).fromUnit(unit[i]));
    }
    return new Setting(values);
  }

  /// {@return the point of the unit cube that stands for `setting`; needs a value for each tunable}
  public double[] toUnit(Setting setting) {
    double[] unit = new double[tunables.size()];
    for (int i = 0; i < unit.length; i++) {
      Tunable tunable = tunables.get(i);
      unit[i] = tunable.toUnit(setting.value(tunable.name()));
    }
    return unit;
  }

  /// {@return what is wrong with `setting`, by the names of its values; empty when nothing is}
  public List<Problem> problemsOf(Setting setting) {
    var problems = new ArrayList<Problem>();
    for (Tunable tunable : tunables) {
      Double value = setting.values().get(tunable.name());
      if (value == null) {
        problems.add(problem(tunable.name(), "has no value", ""));
      } else if (!tunable.contains(value)) {
        String plain = Tunable.plain(value);
        problems.add(
            problem(tunable.name(), "must be " + tunable.range() + " but is " + plain, plain));
      }
    }
    setting
        .values()
        .forEach((name, value) -> {
          if (tunables.stream().noneMatch(tunable -> tunable.name().equals(name))) {
            problems.add(problem(name, "is not a tunable of this job", Tunable.plain(value)));
          }
        });
    return problems;
  }

  private static Problem problem(String name, String what, String value) {
    return new Problem(Problem.pointer(name), name + " " + what, value);
  }
}
