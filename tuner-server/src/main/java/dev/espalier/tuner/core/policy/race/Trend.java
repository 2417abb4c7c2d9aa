package dev.espalier.tuner.core.policy.race;

import java.util.List;
import java.util.stream.IntStream;

/// Where losses lead.
final class Trend {
  private Trend() {}

  /// {@return losses after `horizonSeconds`: each on the line through its two points over the
  /// logarithm of time, since what learning gains in a second falls with its age; `now` where the
  /// horizon is not ahead or there is no earlier point}
  ///
  /// @param before losses after `secondsBefore`; empty for none
  /// @param now losses after `seconds`
  static List<Double> at(
      double horizonSeconds,
      double secondsBefore,
      List<Double> before,
      double seconds,
      List<Double> now) {
    if (before.size() != now.size()
        || !(secondsBefore > 0 && seconds > secondsBefore && horizonSeconds > seconds)) {
      return now;
    }
    double reach = Math.log(horizonSeconds / seconds) / Math.log(seconds / secondsBefore);
    return IntStream.range(0, now.size())
        .mapToObj(i -> now.get(i) + reach * (now.get(i) - before.get(i)))
        .toList();
  }
}
