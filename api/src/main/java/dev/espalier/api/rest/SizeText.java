package dev.espalier.api.rest;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Sizes of memory as job files write them: `512MiB`, `1.5GiB`, `8g`, or plain bytes.
///
/// A unit is a power of 1024, however it is spelled (`k`, `KB` and `KiB` are 1024).
public final class SizeText {
  private static final Pattern SIZE =
      Pattern.compile("(\\d{1,18}(?:\\.\\d{1,9})?)\\s*(?:([kmgt])(?:i?b)?|b)?");
  private static final String UNITS = "kmgt";

  private SizeText() {}

  /// {@return bytes >= 0; empty when `text` is no size, or none below 2^62}
  public static Optional<Long> bytes(String text) {
    Matcher matcher = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int power = matcher.group(2) == null ? 0 : UNITS.indexOf(matcher.group(2)) + 1;
    double bytes = Double.parseDouble(matcher.group(1)) * Math.pow(1024, power);
    return bytes < 0x1p62 ? Optional.of((long) bytes) : Optional.empty();
  }

  /// {@return a text that [#bytes(String)] reads back as the same number}
  public static String of(long bytes) {
    int power = 0;
    long count = bytes;
    while (power < UNITS.length() && count > 0 && count % 1024 == 0) {
      count /= 1024;
      power++;
    }
    return power == 0
        ? Long.toString(bytes)
        : count + UNITS.substring(power - 1, power).toUpperCase(Locale.ROOT) + "iB";
  }
}
