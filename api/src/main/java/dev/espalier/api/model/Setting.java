package dev.espalier.api.model;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// A value for each tunable: what a branch runs with.
///
/// @param values by tunable name, in name order; immutable
public record Setting(SortedMap<String, Double> values) {
  /// A setting without any value.
  public static final Setting EMPTY = new Setting(new TreeMap<>());

  public Setting {
    values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
  }

  public static Setting of(Map<String, Double> values) {
    return new Setting(new TreeMap<>(values));
  }

  /// {@return the value of `tunable`}
  ///
  /// @throws IllegalArgumentException when the setting has none
  public double value(String tunable) {
    Double value = values.get(tunable);
    if (value == null) {
      throw new IllegalArgumentException("setting has no " + tunable + ": " + values);
    }
    return value;
  }

  /// {@return the value of `tunable`, or `otherwise`}
  public double valueOr(String tunable, double otherwise) {
    Double value = values.get(tunable);
    return value == null ? otherwise : value;
  }

  /// {@return this setting with one value put in}
  public Setting with(String tunable, double value) {
    var copy = new TreeMap<>(values);
    copy.put(tunable, value);
    return new Setting(copy);
  }

  /// {@return this setting with the values of `over` on top}
  public Setting with(Setting over) {
    var copy = new TreeMap<>(values);
    copy.putAll(over.values);
    return new Setting(copy);
  }
}
