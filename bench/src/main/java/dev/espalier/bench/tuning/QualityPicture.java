package dev.espalier.bench.tuning;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Draws the best quality over time of each policy on one workload, as SVG: the median seed of
/// each, time on a logarithmic axis, and a tick below the axis for each fork of the judged policy.
final class QualityPicture {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 420;
  private static final int LEFT = 64;
  private static final int RIGHT = 590;
  private static final int TOP = 44;
  private static final int BOTTOM = 340;
  private static final double ZOOM = 0.12;
  private static final String JUDGED_COLOUR = "#0b7a3b";
  private static final List<String> COLOURS =
      List.of(
          "#d1495b", "#2d6cdf", "#b8860b", "#7b4bb3", "#008b8b", "#8c564b", "#e377c2", "#555555",
          "#17becf", "#9acd32", "#ff7f0e");

  private final Reference reference;
  private final String title;
  private final Map<String, List<RunRecord>> runs;
  private final StringBuilder svg = new StringBuilder();
  private final double fromSeconds;
  private final double toSeconds;
  private final double low;
  private final double high;

  /// @param runs by policy, in the order of the legend
  QualityPicture(Reference reference, String title, Map<String, List<RunRecord>> runs) {
    this.reference = reference;
    this.title = title;
    this.runs = runs;
    toSeconds =
        runs.values().stream()
            .flatMap(List::stream)
            .mapToDouble(RunRecord::endSeconds)
            .max()
            .orElse(reference.budgetSeconds());
    double first =
        runs.values().stream()
            .flatMap(List::stream)
            .filter(run -> !run.qualities().isEmpty())
            .mapToDouble(run -> run.qualities().getFirst().seconds())
            .min()
            .orElse(toSeconds / 100);
    fromSeconds = Math.max(first / 2, toSeconds / 2000);
    high =
        Math.max(
            1.01,
            runs.values().stream()
                .flatMap(List::stream)
                .mapToDouble(run -> reference.progress(run.best(reference.goal())))
                .filter(Double::isFinite)
                .max()
                .orElse(1));
    low = 1 - ZOOM;
  }

  /// {@return the picture}
  String svg() {
    svg.append(
        ("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                + " font-family=\"sans-serif\" font-size=\"12\">\n")
            .formatted(WIDTH, HEIGHT, WIDTH, HEIGHT));
    svg.append("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    text(LEFT, 22, "start", "#222222", title + ": best " + reference.metric() + " so far", 15);
    axes();
    int number = 0;
    for (Map.Entry<String, List<RunRecord>> entry : runs.entrySet()) {
      String colour =
          entry.getKey().equals(Bars.JUDGED) ? JUDGED_COLOUR : COLOURS.get(number % COLOURS.size());
      RunRecord median = median(entry.getValue());
      curve(median, colour, entry.getKey().equals(Bars.JUDGED) ? 2.6 : 1.4);
      legend(number, entry.getKey(), colour);
      if (entry.getKey().equals(Bars.JUDGED)) {
        forks(median, colour);
      }
      number++;
    }
    return svg.append("</svg>\n").toString();
  }

  private RunRecord median(List<RunRecord> seeds) {
    var sorted = new ArrayList<>(seeds);
    sorted.sort(
        Comparator.comparingDouble(
                (RunRecord run) -> run.secondsTo(reference.target(), reference.goal()))
            .thenComparingDouble(run -> -reference.gain(run.best(reference.goal()))));
    return sorted.get((sorted.size() - 1) / 2);
  }

  private double x(double seconds) {
    double unit =
        Math.log(Math.max(seconds, fromSeconds) / fromSeconds) / Math.log(toSeconds / fromSeconds);
    return LEFT + Math.clamp(unit, 0, 1) * (RIGHT - LEFT);
  }

  private double y(double quality) {
    double unit = (reference.progress(quality) - low) / (high - low);
    return BOTTOM - Math.clamp(unit, 0, 1) * (BOTTOM - TOP);
  }

  private double quality(double progress) {
    return reference.startQuality()
        + progress * (reference.oracleQuality() - reference.startQuality());
  }

  private void axes() {
    line(LEFT, BOTTOM, RIGHT, BOTTOM, "#222222", 1, "");
    line(LEFT, TOP, LEFT, BOTTOM, "#222222", 1, "");
    for (int i = 0; i <= 4; i++) {
      double value = quality(low + (high - low) * i / 4);
      text(LEFT - 6, y(value) + 4, "end", "#444444", format("%.4g", value), 11);
      line(LEFT, y(value), RIGHT, y(value), "#eeeeee", 1, "");
    }
    double decade = Math.pow(10, Math.floor(Math.log10(fromSeconds)));
    for (; decade <= toSeconds; decade *= 10) {
      for (int step : new int[] {1, 2, 5}) {
        double at = decade * step;
        if (at >= fromSeconds && at <= toSeconds) {
          line(x(at), BOTTOM, x(at), BOTTOM + 4, "#222222", 1, "");
          text(x(at), BOTTOM + 17, "middle", "#444444", tick(at), 11);
        }
      }
    }
    double target = y(reference.target());
    line(LEFT, target, RIGHT, target, "#222222", 1, "5 3");
    text(RIGHT - 4, target - 4, "end", "#222222", "target", 11);
    double budget = x(reference.budgetSeconds());
    line(budget, TOP, budget, BOTTOM, "#bbbbbb", 1, "2 3");
    text(budget - 3, TOP + 10, "end", "#888888", "budget", 11);
  }

  /// {@return a round number of seconds without trailing zeros}
  private static String tick(double seconds) {
    return BigDecimal.valueOf(seconds)
            .round(new MathContext(2))
            .stripTrailingZeros()
            .toPlainString()
        + " s";
  }

  private void curve(RunRecord run, String colour, double width) {
    var points = new StringBuilder();
    double best = Double.NaN;
    for (RunRecord.Quality quality : run.qualities()) {
      double next = quality.value();
      boolean isBetter =
          Double.isFinite(next)
              && (Double.isNaN(best) || reference.gain(next) > reference.gain(best));
      if (isBetter) {
        double before = Double.isNaN(best) ? quality(low) : best;
        point(points, quality.seconds(), before);
        point(points, quality.seconds(), next);
        best = next;
      }
    }
    if (!Double.isNaN(best)) {
      point(points, run.endSeconds(), best);
    }
    svg.append(
        "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"%s\" points=\"%s\"/>\n"
            .formatted(colour, format("%.1f", width), points.toString().strip()));
  }

  private void point(StringBuilder points, double seconds, double value) {
    points.append(format("%.1f,%.1f ", x(seconds), y(value)));
  }

  private void forks(RunRecord run, String colour) {
    for (RunRecord.BranchLife branch : run.branches()) {
      if (branch.parent() >= 0) {
        double at = x(branch.fromSeconds());
        line(at, BOTTOM + 26, at, BOTTOM + 36, colour, 0.8, "");
      }
    }
    text(LEFT, BOTTOM + 52, "start", colour, "forks of " + run.policy(), 11);
  }

  private void legend(int number, String name, String colour) {
    double at = TOP + 8 + 18 * number;
    line(RIGHT + 14, at, RIGHT + 34, at, colour, 2.5, "");
    text(RIGHT + 40, at + 4, "start", "#222222", name, 12);
  }

  private void line(
      double x1, double y1, double x2, double y2, String colour, double width, String dashes) {
    String dash = dashes.isEmpty() ? "" : " stroke-dasharray=\"" + dashes + "\"";
    svg.append(
        format(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\""
                + " stroke-width=\"%.1f\"%s/>\n",
            x1, y1, x2, y2, colour, width, dash));
  }

  private void text(double x, double y, String anchor, String colour, String text, int size) {
    String escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    svg.append(
        format(
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\" font-size=\"%d\">%s</text>\n",
            x, y, anchor, colour, size, escaped));
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
