package dev.espalier.sdk;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.Map;

/// A parameter table that a program asks for.
///
/// @param name unique in the program
/// @param rows >= 1
/// @param columns >= 1
/// @param rule name of the update rule: `sgd`, `momentum`, `ema-momentum`, `nesterov`, `adagrad`,
///   `rmsprop`, `adam`, `adamw`, `adadelta`, `adarevision`, `proximal-sgd`, `proximal-adagrad`
/// @param options constants of the rule by name, such as `beta2`, `epsilon`, `weightDecay`, `l1`;
///   what is missing takes the rule's default
/// @param sparse whether a clock touches few of the rows
public record TableDeclaration(
    String name, long rows, int columns, String rule, Map<String, Double> options, boolean sparse) {
  /// The names of all update rules.
  public static final List<String> RULES =
      List.of(
          "sgd",
          "momentum",
          "ema-momentum",
          "nesterov",
          "adagrad",
          "rmsprop",
          "adam",
          "adamw",
          "adadelta",
          "adarevision",
          "proximal-sgd",
          "proximal-adagrad");

  public TableDeclaration {
    requireNonNull(name, "name");
    requireNonNull(rule, "rule");
    options = Map.copyOf(options);
    if (rows < 1) {
      throw new IllegalArgumentException(name + ": rows must be >= 1 but is " + rows);
    }
    if (columns < 1) {
      throw new IllegalArgumentException(name + ": columns must be >= 1 but is " + columns);
    }
  }

  /// A table whose rows are all read and updated in each clock.
  public static TableDeclaration dense(String name, long rows, int columns, String rule) {
    return new TableDeclaration(name, rows, columns, rule, Map.of(), false);
  }

  /// A table of which a clock touches few rows.
  public static TableDeclaration sparse(String name, long rows, int columns, String rule) {
    return new TableDeclaration(name, rows, columns, rule, Map.of(), true);
  }

  /// {@return this declaration with one constant of its rule set}
  public TableDeclaration with(String option, double value) {
    var copy = new java.util.HashMap<>(options);
    copy.put(option, value);
    return new TableDeclaration(name, rows, columns, rule, copy, sparse);
  }
}
