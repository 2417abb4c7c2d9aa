package dev.espalier.cli.screen;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Numbers, times and settings as people read them.
public final class Words {
  private static final DateTimeFormatter CLOCK =
      DateTimeFormatter.ofPattern("HH:mm:ss", Locale.ROOT);
  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT);

  private Words() {}

  /// {@return at most four significant digits; `-` for null, NaN as such}
  public static String number(@Nullable Double value) {
    if (value == null) {
      return "-";
    }
    if (!Double.isFinite(value)) {
      return value.toString();
    }
    double size = Math.abs(value);
    if (value == Math.rint(value) && size < 1e9) {
      return Long.toString((long) (double) value);
    }
    if (size >= 1e9 || size < 1e-4) {
      return String.format(Locale.ROOT, "%.3g", value).replaceAll("\\.?0+e", "e");
    }
    int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4;
    int leading = size < 0.1 ? (int) -Math.floor(Math.log10(size)) - 1 : 0;
    String text = String.format(Locale.ROOT, "%." + (decimals + leading) + "f", value);
    return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
  }

  /// {@return such as `850 ms`, `12.3 s`, `2 m 05 s`, `1 h 02 m`}
  public static String seconds(double seconds) {
    if (!Double.isFinite(seconds)) {
      return "-";
    }
    if (seconds < 0.9995) {
      return Math.round(seconds * 1000) + " ms";
    }
    if (seconds < 59.95) {
      return String.format(Locale.ROOT, "%.1f s", seconds);
    }
    long whole = Math.round(seconds);
    return whole < 3600
        ? String.format(Locale.ROOT, "%d m %02d s", whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%d h %02d m", whole / 3600, whole % 3600 / 60);
  }

  public static String percent(double share) {
    return String.format(Locale.ROOT, "%.0f%%", 100 * share);
  }

  /// {@return such as `batchSize 64, learningRate 0.01`}
  public static String setting(Map<String, Double> setting) {
    return setting.isEmpty()
        ? "-"
        : new TreeMap<>(setting)
            .entrySet().stream()
                .map(entry -> entry.getKey() + " " + number(entry.getValue()))
                .collect(Collectors.joining(", "));
  }

  /// {@return the time of day here}
  public static String clock(Instant time) {
    return CLOCK.format(time.atZone(ZoneId.systemDefault()));
  }

  /// {@return day and time here}
  public static String day(@Nullable Instant time) {
    return time == null ? "-" : DAY.format(time.atZone(ZoneId.systemDefault()));
  }

  /// {@return such as `3 m ago`}
  public static String age(Instant time, Instant now) {
    long seconds = Math.max(0, Duration.between(time, now).toSeconds());
    if (seconds < 60) {
      return seconds + " s ago";
    }
    if (seconds < 3600) {
      return seconds / 60 + " m ago";
    }
    return seconds < 172_800 ? seconds / 3600 + " h ago" : seconds / 86_400 + " d ago";
  }

  /// {@return the lines of a text that is broken between words; a longer word is left whole}
  ///
  /// @param width columns of a line
  public static List<String> wrapped(String text, int width) {
    var lines = new ArrayList<String>();
    var line = new StringBuilder();
    for (String word : text.split("\\s")) {
      if (!line.isEmpty() && Width.of(line.toString()) + 1 + Width.of(word) > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
