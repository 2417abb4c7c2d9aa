package dev.espalier.bench.frame;

import java.math.BigDecimal;
import java.util.Locale;

/// What a figure should reach.
///
/// @param of what is held against the bound
/// @param isFloor whether the bound is the least that will do, otherwise the most
/// @param bound in the measurement's unit for a value, without unit for a ratio
public record Goal(Of of, boolean isFloor, double bound) {
  /// What a goal is about.
  public enum Of {
    /// The figure itself.
    VALUE,
    /// The figure divided by its reference.
    RATIO
  }

  /// {@return the goal of a share of the limit}
  public static Goal ratioAtLeast(double bound) {
    return new Goal(Of.RATIO, true, bound);
  }

  /// {@return the goal of a cost that stays near its reference}
  public static Goal ratioAtMost(double bound) {
    return new Goal(Of.RATIO, false, bound);
  }

  /// {@return the goal of a value that stays below a bound}
  public static Goal valueAtMost(double bound) {
    return new Goal(Of.VALUE, false, bound);
  }

  /// {@return whether a measurement reaches it; NaN reaches nothing}
  boolean isMetBy(Measurement figure) {
    double reached = of == Of.VALUE ? figure.value() : figure.ratio();
    return isFloor ? reached >= bound : reached <= bound;
  }

  /// {@return one cell of a table}
  String text(Measurement figure) {
    return String.format(
        Locale.ROOT,
        "%s %s%s: %s",
        isFloor ? ">=" : "<=",
        BigDecimal.valueOf(bound).stripTrailingZeros().toPlainString(),
        of == Of.VALUE ? " " + figure.unit() : "",
        isMetBy(figure) ? "met" : "missed");
  }
}
