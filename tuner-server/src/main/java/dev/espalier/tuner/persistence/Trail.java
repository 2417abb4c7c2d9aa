package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.JobView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A job's course in at most 64 points: each point is the loss last told of its stretch of clocks.
/// When the points do not reach far enough, every second one goes and stretches get twice as long.
///
/// @param clocks mainline clocks of a stretch, >= 1
/// @param losses NaN where none is known
/// @param turns mainline clocks at which the schedule changed, ascending
@SuppressWarnings("ArrayRecordComponent")
record Trail(long clocks, double[] losses, long[] turns) {
  static final int MAX_POINTS = 64;
  private static final int MAX_TURNS = 24;
  private static final int SPEED_POINTS = 5;

  static Trail of(JobEntity job) {
    return new Trail(job.trailClocks, job.trailLosses, job.trailTurns);
  }

  /// Takes in the loss at a mainline clock; what was known of later clocks is forgotten.
  Trail at(long clock, double loss) {
    long stretch = clocks;
    double[] points = losses;
    while (clock / stretch >= MAX_POINTS) {
      points = thinned(points);
      stretch *= 2;
    }
    int place = (int) (clock / stretch);
    double[] next = Arrays.copyOf(points, place + 1);
    for (int i = points.length; i < place; i++) {
      next[i] = Double.NaN;
    }
    next[place] = loss;
    return new Trail(stretch, next, turns);
  }

  private static double[] thinned(double[] points) {
    double[] half = new double[(points.length + 1) / 2];
    for (int i = 0; i < half.length; i++) {
      double later = 2 * i + 1 < points.length ? points[2 * i + 1] : Double.NaN;
      half[i] = Double.isFinite(later) ? later : points[2 * i];
    }
    return half;
  }

  /// Takes in where the schedule changes; of many the last ones.
  ///
  /// @param all ascending
  Trail turningAt(long... all) {
    return new Trail(
        clocks, losses, Arrays.copyOfRange(all, Math.max(0, all.length - MAX_TURNS), all.length));
  }

  /// Loss per second between two neighbouring groups of points, by their means.
  ///
  /// @param from the first point of the earlier group
  /// @param secondsPerClock of the mainline, on the average of the whole
  /// @return >= 0, for what rose is not getting better; NaN where a group has no loss
  private double speed(int from, int size, double secondsPerClock) {
    double fall = mean(from, size) - mean(from + size, size);
    return Math.max(0, fall) / (size * clocks * secondsPerClock);
  }

  private double mean(int from, int size) {
    return Arrays.stream(losses, from, from + size)
        .filter(Double::isFinite)
        .average()
        .orElse(Double.NaN);
  }

  private static @Nullable Double finite(double value) {
    return Double.isFinite(value) ? value : null;
  }

  /// @param secondsPerClock of the mainline, on the average of the whole; 0 when it is not known
  JobView.Trail view(double secondsPerClock) {
    List<@Nullable Double> points = new ArrayList<>(losses.length);
    for (double loss : losses) {
      points.add(finite(loss));
    }
    int group = Math.min(SPEED_POINTS, losses.length / 3);
    boolean isKnown = group > 0 && secondsPerClock > 0;
    double now = isKnown ? speed(losses.length - 2 * group, group, secondsPerClock) : Double.NaN;
    double first = isKnown ? speed(0, group, secondsPerClock) : Double.NaN;
    return new JobView.Trail(
        clocks, points, Arrays.stream(turns).boxed().toList(), finite(now), finite(first));
  }
}
