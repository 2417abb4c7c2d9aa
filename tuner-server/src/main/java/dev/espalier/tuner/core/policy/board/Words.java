package dev.espalier.tuner.core.policy.board;

import dev.espalier.api.model.Setting;
import java.util.Locale;
import java.util.stream.Collectors;

/// Numbers and settings as people read them.
public final class Words {
  private static final double EXACT_BELOW = 1e6;
  private static final double FOUR_DIGITS = 1e4;

  private Words() {}

  /// {@return at most four significant digits, or all before the point; whole numbers without one}
  public static String number(double value) {
    if (value == Math.rint(value) && Math.abs(value) < EXACT_BELOW) {
      return Long.toString((long) value);
    }
    if (Math.abs(value) >= FOUR_DIGITS && Math.abs(value) < EXACT_BELOW) {
      return Long.toString(Math.round(value));
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

  /// {@return such as "trial 3 on branch #4": people find a branch by its number, and a policy
  /// counts what it tries}
  public static String onBranch(String what, Branch branch) {
    return what + " on branch " + branch.id();
  }

  /// {@return `words` with a capital first letter}
  public static String sentence(String words) {
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  /// {@return such as "1 trial" and "2 trials"}
  ///
  /// @param noun one that takes an s
  public static String count(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}
