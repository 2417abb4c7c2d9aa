package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Setting;
import java.util.Locale;
import java.util.stream.Collectors;

/// Numbers and settings as people read them.
final class Words {
  private static final double EXACT_BELOW = 1e6;

  private Words() {}

  /// {@return at most four significant digits; whole numbers without a point}
  static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < EXACT_BELOW) {
      return Long.toString((long) value);
    }
    String digits = String.format(Locale.ROOT, "%.4g", value);
    return digits.contains(".") ? digits.replaceFirst("\\.?0+(?=e|$)", "") : digits;
  }

  static String setting(Setting setting) {
    return setting.values().entrySet().stream()
        .map(entry -> entry.getKey() + " " + number(entry.getValue()))
        .collect(Collectors.joining(", "));
  }

  static String count(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
