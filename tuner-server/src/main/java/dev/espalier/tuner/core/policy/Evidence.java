package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.progress.ProgressSummary;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What a rule looked at, gathered in reading order for a decision.
final class Evidence {
  private final Map<String, Object> values = new LinkedHashMap<>();

  static Evidence of() {
    return new Evidence();
  }

  Evidence with(String name, double value) {
    values.put(name, readable(value));
    return this;
  }

  Evidence with(String name, long value) {
    values.put(name, value);
    return this;
  }

  Evidence with(String name, boolean value) {
    values.put(name, value);
    return this;
  }

  Evidence with(String name, String value) {
    values.put(name, value);
    return this;
  }

  Evidence with(String name, Setting setting) {
    values.put(name, setting.values());
    return this;
  }

  Evidence with(String name, List<?> list) {
    values.put(name, list.stream().map(Evidence::readable).toList());
    return this;
  }

  /// Puts in what was gathered elsewhere.
  Evidence with(Map<String, Object> gathered) {
    values.putAll(gathered);
    return this;
  }

  /// Puts in all numbers of a summary.
  Evidence with(ProgressSummary summary) {
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
