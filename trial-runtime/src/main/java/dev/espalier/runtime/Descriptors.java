package dev.espalier.runtime;

import dev.espalier.api.model.MetricSpec;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Tunable;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Program descriptors as documents: what the server learns of programs without loading them.
final class Descriptors {
  private Descriptors() {}

  static List<Map<String, Object>> documents(List<ProgramDescriptor> descriptors) {
    return descriptors.stream().map(Descriptors::document).toList();
  }

  private static Map<String, Object> document(ProgramDescriptor descriptor) {
    var document = new LinkedHashMap<String, Object>();
    document.put("name", descriptor.name());
    document.put("summary", descriptor.summary());
    document.put("needsData", descriptor.needsData());
    document.put("arguments", descriptor.arguments());
    document.put("tunables", descriptor.tunables().stream().map(Descriptors::tunable).toList());
    document.put("validation", descriptor.validation().stream().map(Descriptors::metric).toList());
    return document;
  }

  private static Map<String, Object> tunable(Tunable tunable) {
    var document = new LinkedHashMap<String, Object>();
    document.put("name", tunable.name());
    switch (tunable) {
      case Tunable.LogRange range -> putRange(document, "log", range.min(), range.max());
      case Tunable.LinearRange range -> putRange(document, "linear", range.min(), range.max());
      case Tunable.Choice choice -> {
        document.put("type", "choice");
        document.put("values", choice.values());
      }
    }
    document.put("defaultValue", tunable.defaultValue());
    return document;
  }

  private static void putRange(Map<String, Object> document, String type, double min, double max) {
    document.put("type", type);
    document.put("min", min);
    document.put("max", max);
  }

  private static Map<String, Object> metric(MetricSpec metric) {
    return Map.of("name", metric.name(), "goal", metric.goal(), "aggregate", metric.aggregate());
  }
}
