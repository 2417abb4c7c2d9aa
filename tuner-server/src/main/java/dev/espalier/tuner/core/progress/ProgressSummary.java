package dev.espalier.tuner.core.progress;

import dev.espalier.api.model.Verdict;
import java.util.List;

/// What a trace came to.
///
/// @param verdict converging, unstable, diverged or inconclusive
/// @param speed loss per second, >= 0, never NaN; 0 when diverged or inconclusive
/// @param slope loss per second without the noise penalty, positive when the loss falls
/// @param noise largest upward step between neighbouring window means, >= 0
/// @param range last window mean less the first, negative when the loss falls
/// @param seconds time between first and last window mean
/// @param windowMeans the means the numbers come from, the starting loss in front where it is used
/// @param windowSeconds the times of the means
public record ProgressSummary(
    Verdict verdict,
    double speed,
    double slope,
    double noise,
    double range,
    double seconds,
    List<Double> windowMeans,
    List<Double> windowSeconds) {
  public ProgressSummary {
    windowMeans = List.copyOf(windowMeans);
    windowSeconds = List.copyOf(windowSeconds);
  }
}
