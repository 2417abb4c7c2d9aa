package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.progress.ProgressSummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a rule looked at, gathered in reading order for a decision.
public final class Evidence {
  private final Map<String, Object> values = new LinkedHashMap<>();

  /// {@return no evidence yet}
  public static Evidence of() {
    return new Evidence();
  }

  /// Puts in a number; NaN and infinities become texts.
  public Evidence with(String name, double value) {
    values.put(name, readable(value));
    return this;
  }

  /// Puts in a whole number.
  public Evidence with(String name, long value) {
    values.put(name, value);
    return this;
  }

  /// Puts in a yes or no.
  public Evidence with(String name, boolean value) {
    values.put(name, value);
    return this;
  }

  /// Puts in a text.
  public Evidence with(String name, String value) {
    values.put(name, value);
    return this;
  }

  /// Puts in the values of a setting.
  public Evidence with(String name, Setting setting) {
    values.put(name, setting.values());
    return this;
  }

  /// Puts in a list of numbers, texts or tables of such.
  public Evidence with(String name, List<?> list) {
    values.put(name, list.stream().map(Evidence::readable).toList());
    return this;
  }

  /// Puts in what was gathered elsewhere.
  public Evidence with(Map<String, Object> gathered) {
    values.putAll(gathered);
    return this;
  }

  /// Puts in all numbers of a summary.
  public Evidence with(ProgressSummary summary) {
    return with("verdict", summary.verdict().name())
        .with("speed", summary.speed())
        .with("slope", summary.slope())
        .with("noise", summary.noise())
        .with("range", summary.range())
        .with("rangeSeconds", summary.seconds())
        .with("windowMeans", summary.windowMeans())
        .with("windowSeconds", summary.windowSeconds());
  }

  Map<String, Object> values() {
    return values;
  }

  /// JSON has no NaN and no infinity, so these become texts.
  private static Object readable(Object value) {
    return value instanceof Double number && !Double.isFinite(number) ? number.toString() : value;
  }
}
