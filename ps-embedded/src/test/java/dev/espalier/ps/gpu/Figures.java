package dev.espalier.ps.gpu;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Measured figures, printed as they come and written as JSON.
final class Figures {
  private static final int NAME_WIDTH = 58;

  private record Figure(String name, double value, String unit, double ratio, double bar) {}

  private final List<Figure> figures = new ArrayList<>();

  /// Adds a figure.
  ///
  /// @param ratio to its limit or peer, NaN when it has none
  /// @param bar what the ratio must reach; 0 for none; -1 when it must be at most 1
  void add(String name, double value, String unit, double ratio, double bar) {
    figures.add(new Figure(name, value, unit, ratio, bar));
    System.out.printf(
        Locale.ROOT,
        "%-" + NAME_WIDTH + "s %12s %-5s %s%n",
        name,
        value >= 100 ? "%.0f".formatted(value) : "%.4g".formatted(value),
        unit,
        Double.isNaN(ratio) ? "" : "%6.3f%s".formatted(ratio, verdict(ratio, bar)));
  }

  private static String verdict(double ratio, double bar) {
    if (bar == 0) {
      return "";
    }
    boolean isMet = bar < 0 ? ratio <= 1 : ratio >= bar;
    return isMet ? "  met" : "  MISSED";
  }

  String json(String device) {
    List<String> lines = new ArrayList<>();
    for (Figure figure : figures) {
      lines.add(
          String.format(
              Locale.ROOT,
              "{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"ratio\":%s,\"bar\":%s}",
              figure.name(),
              figure.value(),
              figure.unit(),
              Double.isNaN(figure.ratio()) ? "null" : "%.4f".formatted(figure.ratio()),
              figure.bar()));
    }
    return "{\"device\":\"%s\",\"figures\":[\n%s\n]}\n"
        .formatted(device, String.join(",\n", lines));
  }
}
