package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.Setting;
import java.util.Locale;
import java.util.stream.Collectors;

/// Numbers and settings as people read them.
public final class Words {
  private static final double EXACT_BELOW = 1e6;

  private Words() {}

  /// {@return at most four significant digits; whole numbers without a point}
  public static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < EXACT_BELOW) {
      return Long.toString((long) value);
    }
    String digits = String.format(Locale.ROOT, "%.4g", value);
    return digits.contains(".") ? digits.replaceFirst("\\.?0+(?=e|$)", "") : digits;
  }

  /// {@return names and values in the order of the setting, such as "learningRate 0.1, momentum
  /// 0.9"}
  public static String setting(Setting setting) {
    return setting.values().entrySet().stream()
        .map(entry -> entry.getKey() + " " + number(entry.getValue()))
        .collect(Collectors.joining(", "));
  }

  /// {@return such as "1 trial" and "2 trials"}
  ///
  /// @param noun one that takes an s
  public static String count(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
