package dev.espalier.api.rest;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// Reads tunables and settings, and knows the bounds that the nature of a tunable sets.
public final class TunableReader {
  private static final int MAX_CHOICES = 1000;
  private static final List<String> TYPES = List.of("log", "linear", "choice");
  private static final List<String> TYPES_AND_ALIASES =
      List.of("log", "linear", "choice", "float", "categorical");

  private final Optional<ProgramDescriptor> program;

  TunableReader(Optional<ProgramDescriptor> program) {
    this.program = program;
  }

  /// {@return the names that a tunable may have}
  Set<String> names() {
    var names = new LinkedHashSet<String>();
    program.ifPresent(known -> known.tunables().forEach(tunable -> names.add(tunable.name())));
    names.addAll(
        List.of(Tunable.LEARNING_RATE, Tunable.MOMENTUM, Tunable.BATCH_SIZE, Tunable.STALENESS));
    return names;
  }

  /// {@return the tunables in the order of the program, whatever their order in the document}
  ///
  /// Searchers take dimensions in order, and the keys of a JSON object have none: two documents
  /// that say the same must lead to the same decisions.
  List<Tunable> read(Section section) {
    var tunables = new ArrayList<Tunable>();
    for (String name : inOrder(section.keys())) {
      if (isKnown(name)) {
        Section one = section.section(name);
        if (section.raw(name).orElse(Map.of()) instanceof Map<?, ?>) {
          tunable(name, one).ifPresent(tunables::add);
          one.rejectUnknownKeys();
        }
      }
    }
    rejectUnknownNames(section);
    return tunables;
  }

  // Of a program that is not known, the well-known names come first and the others by the alphabet.
  private Set<String> inOrder(Set<String> keys) {
    var ordered = new LinkedHashSet<>(names());
    ordered.retainAll(keys);
    ordered.addAll(new TreeSet<>(keys));
    return ordered;
  }

  Setting setting(Section section) {
    var values = new TreeMap<String, Double>();
    for (String name : section.keys()) {
      if (isKnown(name)) {
        Optional<Double> value = section.number(name);
        Optional<String> broken = value.flatMap(number -> unnatural(name, number));
        broken.ifPresent(message -> section.wrong(name, value.orElseThrow(), message));
        if (broken.isEmpty()) {
          value.ifPresent(number -> values.put(name, number));
        }
      }
    }
    rejectUnknownNames(section);
    return new Setting(values);
  }

  // A file for a program that is not known may name tunables that only that program knows.
  private boolean isKnown(String name) {
    return program.isEmpty() || names().contains(name);
  }

  private void rejectUnknownNames(Section section) {
    if (program.isPresent()) {
      section.rejectUnknownKeys(names());
    }
  }

  private Optional<Tunable> tunable(String name, Section section) {
    boolean described = !section.keys().isEmpty();
    Optional<String> type = section.word("type", TYPES_AND_ALIASES);
    Optional<Double> min = section.number("min");
    Optional<Double> max = section.number("max");
    List<?> values = section.list("values");
    Optional<Double> defaultValue = section.number("default");
    if (type.isEmpty()) {
      if (!section.has("type") && described) {
        section.missing("type", name + " needs a type: one of " + String.join(", ", TYPES));
      } else if (!described) {
        section.missing("type", name + " needs a type and its bounds or values");
      }
      return Optional.empty();
    }
    if (type.get().equals("choice") || type.get().equals("categorical")) {
      rejectAlong(section, "min", "choice");
      rejectAlong(section, "max", "choice");
      return choice(name, section, values, defaultValue);
    }
    rejectAlong(section, "values", type.get());
    return range(name, section, type.get().equals("log"), min, max, defaultValue);
  }

  private static void rejectAlong(Section section, String key, String type) {
    section
        .raw(key)
        .ifPresent(
            value -> section.wrong(key, value, key + " does not belong to the type " + type));
  }

  private Optional<Tunable> range(
      String name,
      Section section,
      boolean logarithmic,
      Optional<Double> min,
      Optional<Double> max,
      Optional<Double> defaultValue) {
    for (String key : List.of("min", "max")) {
      if (!section.has(key)) {
        section.missing(key, name + " needs " + key);
      }
    }
    if (min.isEmpty() || max.isEmpty()) {
      return Optional.empty();
    }
    if (mustBeWhole(name)) {
      section.wrong(
          "type",
          section.raw("type").orElse(""),
          name + " takes whole numbers only, so its type must be choice");
      return Optional.empty();
    }
    double low = min.get();
    double high = max.get();
    boolean sound = true;
    if (logarithmic && low <= 0) {
      section.wrong(
          "min", low, name + ": min of a log tunable must be > 0 but is " + NumberText.of(low));
      sound = false;
    }
    if (low >= high) {
      section.wrong(
          "min",
          low,
          name + ": min must be < max (" + NumberText.of(high) + ") but is " + NumberText.of(low));
      sound = false;
    }
    sound &= natural(section, "min", name, low) & natural(section, "max", name, high);
    if (!sound) {
      return Optional.empty();
    }
    double start = defaultValue.orElseGet(() -> defaultOf(name, logarithmic, low, high));
    if (start < low || start > high) {
      section.wrong(
          "default",
          start,
          name
              + ": default must lie in ["
              + NumberText.of(low)
              + ", "
              + NumberText.of(high)
              + "] but is "
              + NumberText.of(start));
      return Optional.empty();
    }
    return Optional.of(
        logarithmic
            ? new Tunable.LogRange(name, low, high, start)
            : new Tunable.LinearRange(name, low, high, start));
  }

  private double defaultOf(String name, boolean logarithmic, double low, double high) {
    double middle = logarithmic ? Math.sqrt(low) * Math.sqrt(high) : low + (high - low) / 2;
    return programDefault(name)
        .filter(value -> value >= low && value <= high)
        .orElse(Math.clamp(middle, low, high));
  }

  private Optional<Double> programDefault(String name) {
    return program.stream()
        .flatMap(known -> known.tunables().stream())
        .filter(tunable -> tunable.name().equals(name))
        .map(Tunable::defaultValue)
        .findFirst();
  }

  private Optional<Tunable> choice(
      String name, Section section, List<?> values, Optional<Double> defaultValue) {
    if (values.isEmpty() || values.size() > MAX_CHOICES) {
      section.missing(
          "values", name + " needs 1 to " + MAX_CHOICES + " values but has " + values.size());
      return Optional.empty();
    }
    var ascending = new TreeSet<Double>();
    boolean sound = true;
    for (Object value : values) {
      Optional<Double> number = section.number("values", value == null ? "null" : value);
      if (number.isEmpty()) {
        sound = false;
      } else if (!natural(section, "values", name, number.get())) {
        sound = false;
      } else if (!ascending.add(number.get())) {
        section.wrong(
            "values", value, name + ": value " + NumberText.of(number.get()) + " occurs twice");
        sound = false;
      }
    }
    if (!sound) {
      return Optional.empty();
    }
    List<Double> list = List.copyOf(ascending);
    double start =
        defaultValue.orElseGet(() ->
            programDefault(name).filter(list::contains).orElse(list.get((list.size() - 1) / 2)));
    if (!list.contains(start)) {
      section.wrong(
          "default",
          start,
          name
              + ": default must be one of "
              + String.join(", ", list.stream().map(NumberText::of).toList())
              + " but is "
              + NumberText.of(start));
      return Optional.empty();
    }
    return Optional.of(new Tunable.Choice(name, list, start));
  }

  private static boolean natural(Section section, String key, String name, double value) {
    Optional<String> broken = unnatural(name, value);
    broken.ifPresent(message -> section.wrong(key, value, message));
    return broken.isEmpty();
  }

  private static boolean mustBeWhole(String name) {
    return name.equals(Tunable.BATCH_SIZE) || name.equals(Tunable.STALENESS);
  }

  /// {@return why no tunable of this name can have this value}
  static Optional<String> unnatural(String name, double value) {
    if (mustBeWhole(name) && value != Math.rint(value)) {
      return Optional.of(name + " must be a whole number but is " + NumberText.of(value));
    }
    return switch (name) {
      case Tunable.LEARNING_RATE -> Section.Bounds.above(0, 1e6).broken(name, value);
      case Tunable.MOMENTUM -> new Section.Bounds(0, true, 1, false).broken(name, value);
      case Tunable.BATCH_SIZE -> Section.Bounds.closed(1, 1_000_000).broken(name, value);
      case Tunable.STALENESS -> Section.Bounds.closed(0, 1000).broken(name, value);
      default -> Optional.empty();
    };
  }

  /// {@return a tunable in the form of a job file}
  public static Map<String, Object> toDocument(Tunable tunable) {
    var document = new LinkedHashMap<String, Object>();
    switch (tunable) {
      case Tunable.LogRange range -> {
        document.put("type", "log");
        document.put("min", JobSpecWriter.plain(range.min()));
        document.put("max", JobSpecWriter.plain(range.max()));
      }
      case Tunable.LinearRange range -> {
        document.put("type", "linear");
        document.put("min", JobSpecWriter.plain(range.min()));
        document.put("max", JobSpecWriter.plain(range.max()));
      }
      case Tunable.Choice choice -> {
        document.put("type", "choice");
        document.put("values", choice.values().stream().map(JobSpecWriter::plain).toList());
      }
    }
    document.put("default", JobSpecWriter.plain(tunable.defaultValue()));
    return document;
  }
}
