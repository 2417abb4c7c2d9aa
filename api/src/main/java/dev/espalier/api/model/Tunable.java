package dev.espalier.api.model;

import static java.util.Objects.requireNonNull;
import static java.util.stream.Collectors.joining;

import java.math.BigDecimal;
import java.util.List;

/// One training knob: a name, the values it may take, and a map between them and the unit interval.
///
/// A tunable controls the procedure of training and does not appear in the objective (MLtuner,
/// section 2.2).
public sealed interface Tunable {
  /// The step size of the update rule.
  String LEARNING_RATE = "learningRate";

  /// The step size where no setting names one.
  double DEFAULT_LEARNING_RATE = 0.01;

  /// The momentum of the update rule, in [0, 1).
  String MOMENTUM = "momentum";

  /// Samples per worker and clock.
  String BATCH_SIZE = "batchSize";

  /// The SSP bound in clocks; 0 is bulk synchronous.
  String STALENESS = "staleness";

  String name();

  /// The value used while the tunable is not searched.
  double defaultValue();

  /// {@return the same range with another default}
  ///
  /// @throws IllegalArgumentException when the value lies outside
  default Tunable withDefault(double value) {
    return switch (this) {
      case LogRange range -> new LogRange(range.name(), range.min(), range.max(), value);
      case LinearRange range -> new LinearRange(range.name(), range.min(), range.max(), value);
      case Choice choice -> new Choice(choice.name(), choice.values(), value);
    };
  }

  /// {@return the value at `unit`, which must lie in [0, 1]}
  double fromUnit(double unit);

  /// {@return the position of `value` in [0, 1]; for a choice the middle of its cell}
  double toUnit(double value);

  /// {@return whether `value` is allowed}
  boolean contains(double value);

  /// {@return what values are allowed, in words: `0.00001 to 1`, or `one of 8, 32`}
  default String range() {
    return switch (this) {
      case LogRange log -> plain(log.min) + " to " + plain(log.max);
      case LinearRange linear -> plain(linear.min) + " to " + plain(linear.max);
      case Choice choice ->
          choice.values.stream().map(Tunable::plain).collect(joining(", ", "one of ", ""));
    };
  }

  /// {@return a number without an exponent and without zeros at its end}
  static String plain(double value) {
    return Double.isFinite(value)
        ? BigDecimal.valueOf(value).stripTrailingZeros().toPlainString()
        : Double.toString(value);
  }

  /// A continuous tunable on a logarithmic axis.
  ///
  /// @param min lower bound, > 0, inclusive
  /// @param max upper bound, > min, inclusive
  record LogRange(String name, double min, double max, double defaultValue) implements Tunable {
    public LogRange {
      requireNonNull(name, "name");
      if (!(min > 0 && min < max && Double.isFinite(max))) {
        throw new IllegalArgumentException(
            name + ": need 0 < min < max but min is " + min + " and max is " + max);
      }
      requireInside(name, min, max, defaultValue);
    }

    @Override
    public double fromUnit(double unit) {
      double low = Math.log(min);
      return clamp(Math.exp(low + unit * (Math.log(max) - low)), min, max);
    }

    @Override
    public double toUnit(double value) {
      double low = Math.log(min);
      return clamp((Math.log(value) - low) / (Math.log(max) - low), 0, 1);
    }

    @Override
    public boolean contains(double value) {
      return value >= min && value <= max;
    }
  }

  /// A continuous tunable on a linear axis.
  ///
  /// @param min lower bound, inclusive
  /// @param max upper bound, > min, inclusive
  record LinearRange(String name, double min, double max, double defaultValue) implements Tunable {
    public LinearRange {
      requireNonNull(name, "name");
      if (!(min < max && Double.isFinite(min) && Double.isFinite(max))) {
        throw new IllegalArgumentException(
            name + ": need min < max but min is " + min + " and max is " + max);
      }
      requireInside(name, min, max, defaultValue);
    }

    @Override
    public double fromUnit(double unit) {
      return clamp(min + unit * (max - min), min, max);
    }

    @Override
    public double toUnit(double value) {
      return clamp((value - min) / (max - min), 0, 1);
    }

    @Override
    public boolean contains(double value) {
      return value >= min && value <= max;
    }
  }

  /// A tunable with a short list of numeric values, in ascending order.
  ///
  /// @param values at least one, finite, strictly ascending
  record Choice(String name, List<Double> values, double defaultValue) implements Tunable {
    public Choice {
      requireNonNull(name, "name");
      values = List.copyOf(values);
      if (values.isEmpty()) {
        throw new IllegalArgumentException(name + ": needs at least one value but has none");
      }
      for (int i = 1; i < values.size(); i++) {
        if (!(values.get(i - 1) < values.get(i))) {
          throw new IllegalArgumentException(
              name + ": values must be strictly ascending but are " + values);
        }
      }
      if (!values.contains(defaultValue)) {
        throw new IllegalArgumentException(
            name + ": default " + defaultValue + " is not one of " + values);
      }
    }

    @Override
    public double fromUnit(double unit) {
      int cell = (int) Math.floor(unit * values.size());
      return values.get(Math.clamp(cell, 0, values.size() - 1));
    }

    @Override
    public double toUnit(double value) {
      int index = values.indexOf(value);
      if (index < 0) {
        throw new IllegalArgumentException(name + ": " + value + " is not one of " + values);
      }
      return (index + 0.5) / values.size();
    }

    @Override
    public boolean contains(double value) {
      return values.contains(value);
    }
  }

  private static double clamp(double value, double min, double max) {
    return Math.clamp(value, min, max);
  }

  private static void requireInside(String name, double min, double max, double value) {
    if (!(value >= min && value <= max)) {
      throw new IllegalArgumentException(
          name + ": default must lie in [" + min + ", " + max + "] but is " + value);
    }
  }
}
