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

  Trail turningAt(long clock) {
    long[] kept = Arrays.stream(turns).filter(turn -> turn < clock).toArray();
    int from = Math.max(0, kept.length + 1 - MAX_TURNS);
    long[] next =
        Arrays.copyOf(Arrays.copyOfRange(kept, from, kept.length), kept.length - from + 1);
    next[next.length - 1] = clock;
    return new Trail(clocks, losses, next);
  }

  JobView.Trail view() {
    List<@Nullable Double> points = new ArrayList<>(losses.length);
    for (double loss : losses) {
      points.add(Double.isFinite(loss) ? loss : null);
    }
    return new JobView.Trail(clocks, points, Arrays.stream(turns).boxed().toList());
  }
}
