package dev.espalier.tuner.core.progress;

import java.util.ArrayList;
import java.util.List;

/// A trace cut into exactly K neighbouring windows of equal length, each stood for by its means.
///
/// Window i of N points holds the points floor(i N / K) to floor((i + 1) N / K) - 1, so lengths
/// differ by one at most and no point is left out (MLtuner, section 4.1: K equal windows; its code
/// drops the tail instead).
///
/// @param losses mean loss of each window
/// @param seconds mean branch time of each window
public record Windows(List<Double> losses, List<Double> seconds) {
  public Windows {
    losses = List.copyOf(losses);
    seconds = List.copyOf(seconds);
  }

  /// Cuts a trace.
  ///
  /// @param trace at least `count` points, none of them overflowed
  /// @param count K, >= 1
  /// @throws IllegalArgumentException when the trace has fewer points than windows
  public static Windows of(ProgressTrace trace, int count) {
    if (count < 1 || trace.size() < count) {
      throw new IllegalArgumentException(
          "windows must be in [1, " + trace.size() + "] but are " + count);
    }
    double[] allLosses = trace.lossesUpToSize();
    double[] allSeconds = trace.secondsUpToSize();
    var losses = new ArrayList<Double>(count);
    var seconds = new ArrayList<Double>(count);
    for (int window = 0; window < count; window++) {
      int from = (int) ((long) window * trace.size() / count);
      int to = (int) ((window + 1L) * trace.size() / count);
      losses.add(mean(allLosses, from, to));
      seconds.add(mean(allSeconds, from, to));
    }
    return new Windows(losses, seconds);
  }

  /// {@return these windows with the starting loss as one more point at time 0}
  Windows withStart(double startingLoss) {
    var allLosses = new ArrayList<Double>(losses.size() + 1);
    allLosses.add(startingLoss);
    allLosses.addAll(losses);
    var allSeconds = new ArrayList<Double>(seconds.size() + 1);
    allSeconds.add(0.0);
    allSeconds.addAll(seconds);
    return new Windows(allLosses, allSeconds);
  }

  /// {@return last mean loss less the first: negative when the loss falls}
  double lossRange() {
    return losses.getLast() - losses.getFirst();
  }

  /// {@return seconds between the first and the last mean}
  double timeRange() {
    return seconds.getLast() - seconds.getFirst();
  }

  /// {@return the largest upward step between neighbouring means, >= 0}
  double noise() {
    double noise = 0;
    for (int i = 1; i < losses.size(); i++) {
      noise = Math.max(noise, losses.get(i) - losses.get(i - 1));
    }
    return noise;
  }

  static double mean(double[] values, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += values[i];
    }
    return sum / (to - from);
  }
}
