package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// What is known of a training program before it runs: the server checks job files against it
/// without ever loading the program.
///
/// @param name what a job file names; lower case letters, digits and `-`
/// @param summary one sentence
/// @param needsData whether a job must name a data folder; when not, the program can generate data
/// @param arguments what may stand under `arguments` in a job file; names unique
/// @param tunables the search space used where a job file names none; names unique
/// @param validation the metrics that evaluations return; the first one judges the model; names
///   unique
public record ProgramDescriptor(
    String name,
    String summary,
    boolean needsData,
    List<Argument> arguments,
    List<Tunable> tunables,
    List<MetricSpec> validation) {
  /// Samples per worker and clock of a program that does not choose a number itself.
  public static final int DEFAULT_BATCH_SIZE = 32;

  public ProgramDescriptor {
    if (!name.matches("[a-z][a-z0-9-]{0,62}")) {
      throw new IllegalArgumentException(
          "program name must match [a-z][a-z0-9-]{0,62} but is " + name);
    }
    requireNonNull(summary, "summary");
    arguments = List.copyOf(arguments);
    tunables = List.copyOf(tunables);
    validation = List.copyOf(validation);
    if (validation.isEmpty()) {
      throw new IllegalArgumentException(name + ": needs at least one validation metric");
    }
    requireUnique(name, "argument", arguments, Argument::name);
    requireUnique(name, "tunable", tunables, Tunable::name);
    requireUnique(name, "validation metric", validation, MetricSpec::name);
  }

  private static <T> void requireUnique(
      String program, String kind, List<T> described, Function<T, String> nameOf) {
    var names = new HashSet<String>();
    for (T one : described) {
      if (!names.add(nameOf.apply(one))) {
        throw new IllegalArgumentException(
            "%s: %s %s is described twice".formatted(program, kind, nameOf.apply(one)));
      }
    }
  }

  /// A program that needs no data folder, takes no arguments, and by default searches
  /// `learningRate` from 1e-5 to 1 and `batchSize` among 8, 32 and 128.
  ///
  /// @param validation at least one; the first one judges the model
  public static ProgramDescriptor of(String name, String summary, MetricSpec... validation) {
    return new ProgramDescriptor(
        name,
        summary,
        false,
        List.of(),
        List.of(
            new Tunable.LogRange(Tunable.LEARNING_RATE, 1e-5, 1, 1e-3),
            new Tunable.Choice(Tunable.BATCH_SIZE, List.of(8.0, 32.0, 128.0), DEFAULT_BATCH_SIZE)),
        List.of(validation));
  }

  /// {@return a text for every argument: the given one, else its default}
  ///
  /// @param given by name, in the text forms of their types; not checked
  public Map<String, String> argumentsWith(Map<String, String> given) {
    var all = new TreeMap<String, String>();
    arguments.forEach(argument -> all.put(argument.name(), argument.defaultValue()));
    all.putAll(given);
    return all;
  }

  /// One argument of a program: a model hyperparameter or an option, fixed for a job.
  ///
  /// @param type what values it takes
  /// @param defaultValue in the text form of its type; within the bounds, one of the choices
  /// @param min lower bound of numbers, inclusive
  /// @param max upper bound of numbers, inclusive
  /// @param choices allowed texts of a `CHOICE`; empty otherwise
  public record Argument(
      String name,
      String summary,
      Type type,
      String defaultValue,
      @Nullable Double min,
      @Nullable Double max,
      List<String> choices) {
    public Argument {
      choices = List.copyOf(choices);
      if ((type == Type.CHOICE) == choices.isEmpty()) {
        throw new IllegalArgumentException(
            "argument %s: choices are for a CHOICE, which must have one, but it is a %s with %s"
                .formatted(name, type, choices));
      }
      if (type == Type.CHOICE && !choices.contains(defaultValue)) {
        throw wrongDefault(name, "one of " + choices, defaultValue);
      }
      for (String text : numbersOf(type, defaultValue)) {
        double number = type == Type.DECIMAL ? decimal(name, text) : integer(name, text);
        if ((min != null && number < min) || (max != null && number > max)) {
          throw wrongDefault(name, bounds(min, max), text);
        }
      }
    }

    /// A whole number; [#atLeast] and [#within] bound it.
    public static Argument integer(String name, String summary, int defaultValue) {
      return unbounded(name, summary, Type.INTEGER, Integer.toString(defaultValue));
    }

    /// A number; [#atLeast] and [#within] bound it.
    public static Argument decimal(String name, String summary, double defaultValue) {
      return unbounded(name, summary, Type.DECIMAL, Tunable.plain(defaultValue));
    }

    /// A list of whole numbers; [#atLeast] and [#within] bound each of them.
    ///
    /// @param defaultValue such as `128,64`; may be empty
    public static Argument integers(String name, String summary, String defaultValue) {
      return unbounded(name, summary, Type.INTEGER_LIST, defaultValue);
    }

    /// A short text such as a file name.
    public static Argument text(String name, String summary, String defaultValue) {
      return unbounded(name, summary, Type.TEXT, defaultValue);
    }

    /// One of several texts.
    ///
    /// @param defaultValue one of `choices`
    public static Argument choice(
        String name, String summary, String defaultValue, List<String> choices) {
      return new Argument(name, summary, Type.CHOICE, defaultValue, null, null, choices);
    }

    private static Argument unbounded(String name, String summary, Type type, String defaultValue) {
      return new Argument(name, summary, type, defaultValue, null, null, List.of());
    }

    /// {@return the same argument, whose numbers are >= `least`}
    ///
    /// @throws IllegalArgumentException when the default is not
    public Argument atLeast(double least) {
      return new Argument(name, summary, type, defaultValue, least, max, choices);
    }

    /// {@return the same argument, whose numbers are in [least, most]}
    ///
    /// @throws IllegalArgumentException when the default is not
    public Argument within(double least, double most) {
      return new Argument(name, summary, type, defaultValue, least, most, choices);
    }

    private static String bounds(@Nullable Double min, @Nullable Double max) {
      if (min == null) {
        return max == null ? "any number" : "<= " + Tunable.plain(max);
      }
      return max == null
          ? ">= " + Tunable.plain(min)
          : "within [%s, %s]".formatted(Tunable.plain(min), Tunable.plain(max));
    }

    private static List<String> numbersOf(Type type, String text) {
      return switch (type) {
        case INTEGER, DECIMAL -> List.of(text);
        case INTEGER_LIST -> text.isBlank() ? List.of() : List.of(text.split(","));
        case CHOICE, TEXT -> List.of();
      };
    }

    private static int integer(String name, String text) {
      try {
        return Integer.parseInt(text.strip());
      } catch (NumberFormatException _) {
        throw wrongDefault(name, "a whole number", text);
      }
    }

    private static double decimal(String name, String text) {
      try {
        double number = Double.parseDouble(text);
        if (Double.isFinite(number)) {
          return number;
        }
      } catch (NumberFormatException _) {
        // It is said below what it must be.
      }
      throw wrongDefault(name, "a finite number", text);
    }

    private static IllegalArgumentException wrongDefault(String name, String must, String text) {
      return new IllegalArgumentException(
          "argument %s: its default must be %s but is '%s'".formatted(name, must, text));
    }

    /// The types of arguments.
    public enum Type {
      INTEGER,
      DECIMAL,
      CHOICE,
      /// A list of integers, in text form `128,64`; may be empty.
      INTEGER_LIST,
      /// A short text such as a file name; the program checks it when it opens.
      TEXT
    }
  }
}
