package dev.espalier.bench.tuning;

import dev.espalier.api.model.Setting;
import dev.espalier.cli.client.Json;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads workloads from YAML: one entry each, by name.
final class Workloads {
  private static final String BUILT_IN = "workloads.yaml";
  private static final Set<String> KEYS =
      Set.of(
          "title",
          "program",
          "data",
          "arguments",
          "trainingSamples",
          "workers",
          "staleness",
          "budgetEpochs",
          "default",
          "reason");

  private Workloads() {}

  /// {@return the workloads that come with the benchmark, in the file's order}
  static Map<String, Workload> builtIn() throws IOException {
    try (InputStream in = Workloads.class.getResourceAsStream(BUILT_IN)) {
      if (in == null) {
        throw new IOException("the resource " + BUILT_IN + " is missing");
      }
      return parse(BUILT_IN, new String(in.readAllBytes(), StandardCharsets.UTF_8));
    }
  }

  /// {@return the workloads of a user's file}
  static Map<String, Workload> read(Path file) throws IOException {
    return parse(file.toString(), Files.readString(file));
  }

  private static Map<String, Workload> parse(String file, String text) {
    var workloads = new LinkedHashMap<String, Workload>();
    Json.readDocument(file, text)
        .forEach((name, entry) -> {
          if (!(entry instanceof Map<?, ?> map)) {
            throw new IllegalArgumentException(file + ": " + name + " must be a mapping of keys");
          }
          workloads.put(name, new Entry(file + ": " + name, map).workload(name));
        });
    return workloads;
  }

  /// Gives workloads their data: `root` itself when it is the data of a single workload, else the
  /// folder below it that the workload names; none where there is no such folder.
  static List<Workload> locate(List<Workload> workloads, Optional<Path> root) {
    var located = new ArrayList<Workload>();
    for (Workload workload : workloads) {
      Optional<Path> below =
          root.map(folder -> folder.resolve(workload.folder())).filter(Files::isDirectory);
      located.add(workload.withData(below.isEmpty() && workloads.size() == 1 ? root : below));
    }
    return located;
  }

  private record Entry(String place, Map<?, ?> values) {
    Workload workload(String name) {
      values
          .keySet()
          .forEach(key -> {
            if (!KEYS.contains(String.valueOf(key))) {
              throw new IllegalArgumentException(
                  place
                      + ": unknown key "
                      + key
                      + "; there are "
                      + KEYS.stream().sorted().toList());
            }
          });
      var arguments = new HashMap<String, String>();
      map("arguments").forEach((key, value) -> arguments.put(key, text(value)));
      var setting = new HashMap<String, Double>();
      map("default").forEach((key, value) -> setting.put(key, number(key, value)));
      return new Workload(
          name,
          values.containsKey("title") ? text(values.get("title")) : name,
          text(required("program")),
          values.containsKey("data") ? text(values.get("data")) : name,
          Optional.empty(),
          arguments,
          (int) number("trainingSamples", 0),
          (int) number("workers", 1),
          numbers("staleness"),
          number("budgetEpochs", required("budgetEpochs")),
          Setting.of(setting),
          text(required("reason")).strip());
    }

    private Object required(String key) {
      Object value = values.get(key);
      if (value == null) {
        throw new IllegalArgumentException(place + ": " + key + " is missing");
      }
      return value;
    }

    private double number(String key, double otherwise) {
      return values.containsKey(key) ? number(key, values.get(key)) : otherwise;
    }

    private double number(String key, @Nullable Object value) {
      if (value instanceof Number number) {
        return number.doubleValue();
      }
      throw new IllegalArgumentException(place + ": " + key + " must be a number but is " + value);
    }

    private List<Double> numbers(String key) {
      Object value = values.get(key);
      if (value != null && !(value instanceof List<?>)) {
        throw new IllegalArgumentException(place + ": " + key + " must be a list of numbers");
      }
      return value instanceof List<?> list
          ? list.stream().map(each -> number(key, each)).toList()
          : List.of();
    }

    private Map<String, Object> map(String key) {
      var copy = new LinkedHashMap<String, Object>();
      Object value = values.get(key);
      if (value instanceof Map<?, ?> map) {
        map.forEach((inner, innerValue) -> copy.put(String.valueOf(inner), innerValue));
      } else if (value != null) {
        throw new IllegalArgumentException(place + ": " + key + " must be a mapping");
      }
      return copy;
    }

    private static String text(@Nullable Object value) {
      return value instanceof List<?> list
          ? String.join(",", list.stream().map(String::valueOf).toList())
          : String.valueOf(value);
    }
  }
}
