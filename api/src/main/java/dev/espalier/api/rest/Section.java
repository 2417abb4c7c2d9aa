package dev.espalier.api.rest;

import dev.espalier.api.model.Problem;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * A reader over one mapping of a document. It knows a key once it was asked for it, so a key that
 * nobody asked for is unknown, and no second list of keys can disagree with the code. What is wrong
 * goes to one list that all sections of a document share; a read then answers as if the key were
 * absent, and reading goes on.
 */
final class Section {
  private static final int MAX_SHOWN = 60;
  private static final int MAX_KEY = 200;

  /// More of them help nobody, and each costs: a document may hold a hundred thousand.
  private static final int MAX_PROBLEMS = 200;

  /// More than a job file has, and few enough to compare each with what was mistyped.
  private static final int MAX_BELOW = 500;

  private final Map<String, @Nullable Object> values;
  private final String pointer;
  private final List<Problem> problems;
  private final Set<String> known = new LinkedHashSet<>();
  private final List<Section> below = new ArrayList<>();

  private Section(Map<String, @Nullable Object> values, String pointer, List<Problem> problems) {
    this.values = values;
    this.pointer = pointer;
    this.problems = problems;
  }

  static Section of(Map<?, ?> document, String pointer, List<Problem> problems) {
    var values = new LinkedHashMap<String, @Nullable Object>();
    var section = new Section(values, pointer, problems);
    document.forEach((key, value) -> {
      if (key instanceof Map || key instanceof Collection) {
        // As a text it may be more than the memory holds.
        section.add(pointer, "keys must be texts but one is " + shown(key), key);
        return;
      }
      String name = String.valueOf(key);
      if (name.length() > MAX_KEY) {
        section.add(
            pointer,
            "keys must have <= " + MAX_KEY + " characters but one is " + shown(name),
            name);
        return;
      }
      values.put(name, value);
    });
    return section;
  }

  void add(String place, String message, @Nullable Object rejected) {
    if (problems.size() < MAX_PROBLEMS) {
      problems.add(new Problem(place, message, shown(rejected)));
    }
  }

  String pointerTo(String key) {
    return pointer + Problem.pointer(key);
  }

  Set<String> keys() {
    return values.keySet();
  }

  boolean has(String key) {
    return values.get(key) != null;
  }

  Optional<Object> raw(String key) {
    known.add(key);
    return Optional.ofNullable(values.get(key));
  }

  /// {@return the mapping under `key`; an empty one when it is absent or no mapping}
  Section section(String key) {
    Object value = raw(key).orElse(null);
    if (value != null && !(value instanceof Map)) {
      wrong(key, value, key + " must be a mapping of names to values but is " + shown(value));
    }
    Map<?, ?> document = value instanceof Map<?, ?> map ? map : Map.of();
    Section section = of(document, pointerTo(key), problems);
    below.add(section);
    return section;
  }

  List<?> list(String key) {
    Object value = raw(key).orElse(null);
    if (value instanceof List<?> list) {
      return list;
    }
    if (value != null) {
      wrong(key, value, key + " must be a list but is " + shown(value));
    }
    return List.of();
  }

  Optional<String> text(String key) {
    Object value = raw(key).orElse(null);
    if (value instanceof String text && text.indexOf(0) >= 0) {
      wrong(key, value, key + " must have no zero character but is " + shown(value));
      return Optional.empty();
    }
    if (value instanceof String || value instanceof Number) {
      return Optional.of(value.toString());
    }
    if (value != null) {
      wrong(key, value, key + " must be a text but is " + shown(value));
    }
    return Optional.empty();
  }

  boolean flag(String key, boolean otherwise) {
    Object value = raw(key).orElse(null);
    if (value instanceof Boolean flag) {
      return flag;
    }
    if (value != null) {
      wrong(key, value, key + " must be true or false but is " + shown(value));
    }
    return otherwise;
  }

  /// {@return the word under `key`, in the spelling of `choices`}
  String word(String key, List<String> choices, String otherwise) {
    return word(key, choices).orElse(otherwise);
  }

  Optional<String> word(String key, List<String> choices) {
    Object value = raw(key).orElse(null);
    if (value == null) {
      return Optional.empty();
    }
    for (String choice : choices) {
      if (choice.equalsIgnoreCase(start(value))) {
        return Optional.of(choice);
      }
    }
    wrong(
        key,
        value,
        key
            + " must be one of "
            + String.join(", ", choices)
            + " but is "
            + shown(value)
            + Suggestion.question(start(value), choices));
    return Optional.empty();
  }

  int whole(String key, int min, int max, int otherwise) {
    return (int) whole(key, (long) min, max, otherwise);
  }

  long whole(String key, long min, long max, long otherwise) {
    Object value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    Optional<BigDecimal> number = exact(value);
    if (number.isEmpty() || number.get().stripTrailingZeros().scale() > 0) {
      wrong(key, value, key + " must be a whole number but is " + shown(value));
      return otherwise;
    }
    BigInteger whole = number.get().toBigInteger();
    if (whole.compareTo(BigInteger.valueOf(min)) < 0) {
      wrong(key, value, key + " must be >= " + min + " but is " + shown(value));
      return otherwise;
    }
    if (whole.compareTo(BigInteger.valueOf(max)) > 0) {
      wrong(key, value, key + " must be <= " + max + " but is " + shown(value));
      return otherwise;
    }
    return whole.longValue();
  }

  Optional<Double> number(String key) {
    return raw(key).flatMap(value -> number(key, value));
  }

  double number(String key, Bounds bounds, double otherwise) {
    double number = number(key).orElse(otherwise);
    Optional<String> broken = has(key) ? bounds.broken(key, number) : Optional.empty();
    broken.ifPresent(message -> wrong(key, number, message));
    return broken.isPresent() ? otherwise : number;
  }

  /// {@return `value`, found under `key`, as a finite number}
  Optional<Double> number(String key, Object value) {
    Optional<Double> number = finite(value);
    if (number.isEmpty()) {
      wrong(key, value, key + " must be a finite number but is " + shown(value));
    }
    return number;
  }

  /// {@return seconds; texts such as `90s`, `1h30m`, `PT10M`, or a plain number of seconds}
  double seconds(String key, double maxSeconds, double otherwise) {
    Object value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    Optional<Double> seconds = TimeText.seconds(start(value));
    if (seconds.isEmpty()) {
      wrong(key, value, key + " must be a time such as 90s, 10m or 1h30m but is " + shown(value));
      return otherwise;
    }
    if (seconds.get() > maxSeconds) {
      wrong(key, value, key + " must be <= " + TimeText.of(maxSeconds) + " but is " + value);
      return otherwise;
    }
    return seconds.get();
  }

  /// {@return bytes; texts such as `512MiB`, `8GiB`, or a plain number of bytes}
  long bytes(String key, long otherwise) {
    Object value = raw(key).orElse(null);
    if (value == null) {
      return otherwise;
    }
    Optional<Long> bytes = SizeText.bytes(start(value));
    if (bytes.isEmpty()) {
      wrong(key, value, key + " must be a size such as 512MiB or 8GiB but is " + shown(value));
    }
    return bytes.orElse(otherwise);
  }

  void missing(String key, String message) {
    add(pointerTo(key), message, "");
  }

  void wrong(String key, Object rejected, String message) {
    add(pointerTo(key), message, rejected);
  }

  /// Reports every key that nobody asked for.
  void rejectUnknownKeys() {
    rejectUnknownKeys(known);
  }

  void rejectUnknownKeys(Collection<String> allowed) {
    known.addAll(allowed);
    for (String key : values.keySet()) {
      if (!allowed.contains(key) && problems.size() < MAX_PROBLEMS) {
        List<String> deeper = keysBelow().distinct().limit(MAX_BELOW).toList();
        wrong(key, key, "unknown key " + shown(key) + Suggestion.sentence(key, allowed, deeper));
      }
    }
  }

  /// {@return the keys that sections below know, each by its way from the root: `tuning.stop.best`}
  private Stream<String> keysBelow() {
    return below.stream()
        .flatMap(section -> {
          String way = section.pointer.substring(1).replace('/', '.') + ".";
          return Stream.concat(section.known.stream().map(way::concat), section.keysBelow());
        });
  }

  static Optional<Double> finite(Object value) {
    Optional<BigDecimal> exact = exact(value);
    return exact.map(BigDecimal::doubleValue).filter(Double::isFinite);
  }

  /*
   * YAML 1.1 reads 1e-5 as a text, since it lacks a dot. Nobody who writes it means a text.
   */
  private static Optional<BigDecimal> exact(Object value) {
    if (!(value instanceof Number || value instanceof String)) {
      return Optional.empty();
    }
    String text = value.toString().strip();
    if (text.length() > 40) {
      return Optional.empty();
    }
    try {
      var number = new BigDecimal(text);
      return Math.abs((long) number.scale()) > 400 ? Optional.empty() : Optional.of(number);
    } catch (NumberFormatException notANumber) {
      return Optional.empty();
    }
  }

  static String shown(@Nullable Object value) {
    var parts = new ArrayList<String>();
    String text = start(value);
    text.codePoints()
        .limit(MAX_SHOWN)
        .forEach(c -> parts.add(Character.isISOControl(c) ? "?" : Character.toString(c)));
    return String.join("", parts) + (text.length() > MAX_SHOWN ? "..." : "");
  }

  /// The value as a text, of which the end may be missing: a list that names another one a thousand
  /// times may stand for more than the memory holds.
  private static String start(@Nullable Object value) {
    var text = new StringBuilder();
    start(value, text);
    return text.toString();
  }

  private static void start(@Nullable Object value, StringBuilder text) {
    switch (value) {
      case Map<?, ?> map -> {
        text.append('{');
        String between = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          if (text.length() > MAX_SHOWN) {
            return;
          }
          text.append(between);
          start(entry.getKey(), text);
          text.append('=');
          start(entry.getValue(), text);
          between = ", ";
        }
        text.append('}');
      }
      case List<?> list -> {
        text.append('[');
        String between = "";
        for (Object item : list) {
          if (text.length() > MAX_SHOWN) {
            return;
          }
          text.append(between);
          start(item, text);
          between = ", ";
        }
        text.append(']');
      }
      case String word -> text.append(word, 0, Math.min(word.length(), 2 * MAX_SHOWN));
      case null, default -> text.append(value);
    }
  }

  /// Bounds of a number; NaN stands for none.
  record Bounds(double min, boolean minInclusive, double max, boolean maxInclusive) {
    static Bounds closed(double min, double max) {
      return new Bounds(min, true, max, true);
    }

    static Bounds above(double min, double max) {
      return new Bounds(min, false, max, true);
    }

    Optional<String> broken(String name, double value) {
      if (minInclusive ? value < min : value <= min) {
        return Optional.of(says(name, minInclusive ? ">=" : ">", min, value));
      }
      if (maxInclusive ? value > max : value >= max) {
        return Optional.of(says(name, maxInclusive ? "<=" : "<", max, value));
      }
      return Optional.empty();
    }

    private static String says(String name, String relation, double bound, double value) {
      return String.format(
          Locale.ROOT,
          "%s must be %s %s but is %s",
          name,
          relation,
          NumberText.of(bound),
          NumberText.of(value));
    }
  }
}
