package dev.espalier.bench.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/// The bars that `racing` is held to, and whether it reached them.
final class Bars {
  static final String JUDGED = "racing";
  private static final double OVER_ORACLE = 1.3;
  private static final double OVER_DEFAULT = 1.0;
  private static final double OVER_DEFAULT_ANYWHERE = 1.1;
  private static final double TUNING_SHARE = 0.25;
  private static final double FASTER_THAN_RUNS = 10;

  private final Map<String, Reference> references;
  private final List<Standing> standings;
  private final List<Standing> judged;

  /// @param references by workload
  Bars(Map<String, Reference> references, List<Standing> standings) {
    this.references = references;
    this.standings = standings;
    this.judged = of(JUDGED);
  }

  /// One bar.
  ///
  /// @param figure what was measured, in words
  record Bar(String name, String figure, boolean isReached) {}

  /// {@return every bar that can be judged; none when the judged policy did not run}
  List<Bar> bars() {
    var bars = new ArrayList<Bar>();
    if (judged.isEmpty()) {
      return bars;
    }
    double oracle = median(Standing::overOracle);
    bars.add(atMost("median time to target over the oracle's", oracle, OVER_ORACLE));
    double careful = median(Standing::overDefault);
    bars.add(atMost("median time to target over the default's", careful, OVER_DEFAULT));
    bars.add(
        everywhere(
            "time to target over the default's, on every workload",
            Standing::overDefault,
            OVER_DEFAULT_ANYWHERE));
    bars.add(everySeed());
    bars.add(quality());
    bars.add(
        everywhere(
            "share of time spent tuning, every seed", Standing::worstTuningShare, TUNING_SHARE));
    for (String form : List.of(Contender.AS_PUBLISHED, "")) {
      for (String rival : List.of("hyperband", "bayes")) {
        faster(rival + form, FASTER_THAN_RUNS, true).ifPresent(bars::add);
      }
      for (String rival : List.of("asha", "pbt")) {
        faster(rival + form, 1, false).ifPresent(bars::add);
      }
    }
    return bars;
  }

  private List<Standing> of(String policy) {
    return standings.stream().filter(standing -> standing.policy().equals(policy)).toList();
  }

  private double median(ToDoubleFunction<Standing> figure) {
    return Quantiles.median(judged.stream().map(figure::applyAsDouble).toList());
  }

  private static Bar atMost(String name, double value, double bound) {
    return new Bar("%s <= %s".formatted(name, bound), text(value), value <= bound);
  }

  private Bar everywhere(String name, ToDoubleFunction<Standing> figure, double bound) {
    String missed =
        judged.stream()
            .filter(standing -> !(figure.applyAsDouble(standing) <= bound))
            .map(standing -> standing.workload() + " " + text(figure.applyAsDouble(standing)))
            .collect(Collectors.joining(", "));
    double worst = judged.stream().mapToDouble(figure).max().orElse(Double.NaN);
    return new Bar(
        "%s <= %s".formatted(name, bound),
        missed.isEmpty() ? "at most " + text(worst) : "missed on " + missed,
        missed.isEmpty());
  }

  private Bar everySeed() {
    int seeds = judged.stream().mapToInt(Standing::seeds).sum();
    int reached = judged.stream().mapToInt(Standing::reached).sum();
    return new Bar(
        "every seed of every workload reaches the target",
        reached + " of " + seeds,
        reached == seeds);
  }

  private Bar quality() {
    long better = judged.stream().filter(standing -> standing.progress() >= 1).count();
    return new Bar(
        "final quality at least the oracle's on half of the workloads",
        better + " of " + judged.size(),
        2 * better >= judged.size());
  }

  /// @param isMedian judge the median over the workloads that the rival reaches, not each workload
  private Optional<Bar> faster(String rival, double times, boolean isMedian) {
    var ratios = new ArrayList<Double>();
    var lost = new ArrayList<String>();
    var unreached = new ArrayList<String>();
    for (Standing other : of(rival)) {
      Optional<Standing> own =
          judged.stream().filter(one -> one.workload().equals(other.workload())).findFirst();
      if (own.isEmpty() || !references.containsKey(other.workload())) {
        continue;
      }
      boolean isNever = Double.isInfinite(other.seconds());
      if (isNever) {
        unreached.add(other.workload());
      }
      if (isNever && isMedian) {
        continue;
      }
      // One that never arrives took at least its horizon.
      double ratio = (isNever ? other.horizonSeconds() : other.seconds()) / own.get().seconds();
      ratios.add(ratio);
      if (Double.isInfinite(own.get().seconds())) {
        lost.add(other.workload() + " it never arrives");
      } else if (!(ratio >= times)) {
        lost.add(other.workload() + " " + text(ratio));
      }
    }
    if (of(rival).isEmpty()) {
      return Optional.empty();
    }
    String remark =
        unreached.isEmpty()
            ? ""
            : "; it never arrives on %s, which %s"
                .formatted(
                    String.join(", ", unreached),
                    isMedian ? "is left out" : "counts its whole time");
    if (isMedian) {
      double median = Quantiles.median(ratios);
      return Optional.of(
          new Bar(
              "at least %.0f times faster than %s".formatted(times, rival),
              "median " + text(median) + remark,
              median >= times));
    }
    return Optional.of(
        new Bar(
            "faster than " + rival + " on every workload",
            lost.isEmpty() ? "everywhere" + remark : "not on " + String.join(", ", lost),
            lost.isEmpty()));
  }

  private static String text(double value) {
    return Double.isNaN(value)
        ? "-"
        : Double.isInfinite(value) ? "never" : String.format(Locale.ROOT, "%.2f", value);
  }
}
