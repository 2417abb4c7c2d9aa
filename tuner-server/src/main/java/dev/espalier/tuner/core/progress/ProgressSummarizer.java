package dev.espalier.tuner.core.progress;

import dev.espalier.api.model.Verdict;
import java.util.List;

/*
 * A short trial says little: its losses are noisy. MLtuner (Cui, Ganger, Gibbons 2018, section 4.1)
 * takes the means x_1..x_K of K windows and charges the noise that is left to the speed:
 *
 *   range(x) = x_K - x_1                      range(t) = t_K - t_1
 *   slope    = -range(x) / range(t)
 *   noise(x) = max(max_i(x_{i+1} - x_i), 0)
 *   speed    = max((-range(x) - noise(x)) / range(t), 0)
 *
 *   converging  range(x) < 0 and noise(x) < eps |range(x)|, eps = 1 / K
 *   diverged    a loss overflowed, or the last mean is above divergenceFactor times the starting loss
 *   unstable    everything else
 *
 * The parent's loss goes in front of the means as a point at time 0: without it a setting that blows
 * the loss up and then recovers has the steepest slope of all.
 */

/// Turns a trace into a speed and a verdict by the formulas of MLtuner, section 4.1.
///
/// @param windows K, >= 3; eps is 1 / K
/// @param startingLossInFront whether the parent's loss stands in front of the window means
/// @param divergenceFactor last mean above this many times the starting loss means diverged, > 1
public record ProgressSummarizer(
    int windows, boolean startingLossInFront, double divergenceFactor) {
  /// Means of equal losses differ by rounding; a range below this share of the loss is none.
  private static final double ROUNDING = 1e-12;

  public ProgressSummarizer {
    if (windows < 3) {
      throw new IllegalArgumentException("windows must be >= 3 but is " + windows);
    }
    if (!(divergenceFactor > 1)) {
      throw new IllegalArgumentException("divergenceFactor must be > 1 but is " + divergenceFactor);
    }
  }

  /// {@return eps: the share of the loss range that noise may have in a converging trace}
  public double noiseShare() {
    return 1.0 / windows;
  }

  /// Summarises one branch.
  ///
  /// @param trace any number of points; one overflowed loss makes it `DIVERGED` whatever its
  ///   length, fewer than K points make it `INCONCLUSIVE`
  /// @param startingLoss mean loss of the parent, finite; the factor rule needs it to be > 0
  /// @return speed in loss per second, >= 0 and never NaN; 0 when diverged or inconclusive
  public ProgressSummary summarize(ProgressTrace trace, double startingLoss) {
    if (trace.hasOverflowed()) {
      return withoutWindows(Verdict.DIVERGED, trace);
    }
    if (trace.size() < windows) {
      return withoutWindows(Verdict.INCONCLUSIVE, trace);
    }
    Windows means = Windows.of(trace, windows);
    Windows used = startingLossInFront ? means.withStart(startingLoss) : means;
    return of(verdict(used, startingLoss), used);
  }

  private Verdict verdict(Windows used, double startingLoss) {
    double range = used.lossRange();
    if (!Double.isFinite(range) || hasBlownUp(used.losses().getLast(), startingLoss)) {
      return Verdict.DIVERGED;
    }
    if (!(used.timeRange() > 0)) {
      return Verdict.INCONCLUSIVE;
    }
    boolean isQuiet = used.noise() < noiseShare() * Math.abs(range);
    return range < 0 && isQuiet && !isFlat(used) ? Verdict.CONVERGING : Verdict.UNSTABLE;
  }

  private static boolean isFlat(Windows used) {
    return Math.abs(used.lossRange()) <= ROUNDING * Math.abs(used.losses().getFirst());
  }

  private boolean hasBlownUp(double lastMean, double startingLoss) {
    // A factor of a loss at or below zero would call every trace diverged.
    return startingLoss > 0 && lastMean > divergenceFactor * startingLoss;
  }

  private static ProgressSummary of(Verdict verdict, Windows used) {
    double range = used.lossRange();
    double noise = used.noise();
    double seconds = used.timeRange();
    boolean isLive = verdict == Verdict.CONVERGING || verdict == Verdict.UNSTABLE;
    boolean hasSpeed = isLive && !isFlat(used);
    return new ProgressSummary(
        verdict,
        hasSpeed ? Math.max((-range - noise) / seconds, 0) : 0,
        hasSpeed ? -range / seconds : 0,
        noise,
        range,
        seconds,
        used.losses(),
        used.seconds());
  }

  private static ProgressSummary withoutWindows(Verdict verdict, ProgressTrace trace) {
    return new ProgressSummary(verdict, 0, 0, 0, 0, trace.totalSeconds(), List.of(), List.of());
  }
}
