package dev.espalier.api.rest;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Times as job files write them: `500ms`, `90s`, `1h30m`, `PT10M`, or plain seconds.
public final class TimeText {
  private static final Pattern PART = Pattern.compile("(\\d{1,12}(?:\\.\\d{1,9})?)(ms|s|m|h|d)");

  private TimeText() {}

  /// {@return seconds >= 0; empty when `text` is no time}
  public static Optional<Double> seconds(String text) {
    String trimmed = text.strip().toLowerCase(Locale.ROOT);
    if (trimmed.isEmpty() || trimmed.length() > 40) {
      return Optional.empty();
    }
    if (trimmed.startsWith("p")) {
      return iso(trimmed);
    }
    Optional<Double> plain = Section.finite(trimmed);
    return plain.isPresent() ? plain.filter(seconds -> seconds >= 0) : parts(trimmed);
  }

  private static Optional<Double> iso(String text) {
    try {
      Duration duration = Duration.parse(text);
      return duration.isNegative()
          ? Optional.empty()
          : Optional.of(duration.getSeconds() + duration.getNano() / 1e9);
    } catch (DateTimeException notATime) {
      return Optional.empty();
    }
  }

  private static Optional<Double> parts(String text) {
    Matcher matcher = PART.matcher(text);
    double seconds = 0;
    int end = 0;
    while (matcher.find() && matcher.start() == end) {
      seconds += Double.parseDouble(matcher.group(1)) * unitSeconds(matcher.group(2));
      end = matcher.end();
    }
    return end == text.length() ? Optional.of(seconds) : Optional.empty();
  }

  private static double unitSeconds(String unit) {
    return switch (unit) {
      case "ms" -> 0.001;
      case "s" -> 1;
      case "m" -> 60;
      case "h" -> 3600;
      default -> 86_400;
    };
  }

  /// {@return a text that [#seconds(String)] reads back as the same number}
  public static String of(double seconds) {
    if (seconds > 0 && seconds % 3600 == 0) {
      return NumberText.of(seconds / 3600) + "h";
    }
    if (seconds > 0 && seconds % 60 == 0) {
      return NumberText.of(seconds / 60) + "m";
    }
    String text = NumberText.of(seconds);
    return text.contains("E") || text.indexOf('.') > 0 && text.length() > 12 ? text : text + "s";
  }
}
