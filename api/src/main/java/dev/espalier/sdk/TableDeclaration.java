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
///   `rmsprop`, `adam`, `adamw`, `adadelta`, `adarevision`, `proximal-sgd`, `proximal-adagrad`; or
///   `add`, which adds the sum of what workers give, whatever the learning rate, for counts
/// @param options constants of the rule by name, such as `beta2`, `epsilon`, `weightDecay`, `l1`;
///   what is missing takes the rule's default
/// @param access how a clock touches the rows
public record TableDeclaration(
    String name, long rows, int columns, String rule, Map<String, Double> options, Access access) {
  /// How a clock touches the rows of a table.
  public enum Access {
    /// It reads and updates all of them.
    DENSE,
    /// It reads and updates all of them as one matrix, which lies together where it can.
    MATRIX,
    /// It touches few of them.
    SPARSE
  }

  /// The names of all update rules that learn.
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
    return new TableDeclaration(name, rows, columns, rule, Map.of(), Access.DENSE);
  }

  /// A matrix that is used whole in each clock, and may be viewed: see [ParameterTable#view].
  public static TableDeclaration matrix(String name, long rows, int columns, String rule) {
    return new TableDeclaration(name, rows, columns, rule, Map.of(), Access.MATRIX);
  }

  /// A table of which a clock touches few rows.
  public static TableDeclaration sparse(String name, long rows, int columns, String rule) {
    return new TableDeclaration(name, rows, columns, rule, Map.of(), Access.SPARSE);
  }

  /// {@return this declaration with one constant of its rule set}
  public TableDeclaration with(String option, double value) {
    var copy = new java.util.HashMap<>(options);
    copy.put(option, value);
    return new TableDeclaration(name, rows, columns, rule, copy, access);
  }
}
