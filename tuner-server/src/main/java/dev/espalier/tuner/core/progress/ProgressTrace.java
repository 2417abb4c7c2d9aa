package dev.espalier.tuner.core.progress;

import java.util.Arrays;

/// The losses that one branch reported, clock by clock, in branch time.
///
/// Points are only ever added. Branch time counts the branch's own clocks, so it does not move
/// while other branches run (MLtuner, section 4.1). Not thread safe.
public final class ProgressTrace {
  private static final int INITIAL_CAPACITY = 32;

  private double[] seconds = new double[INITIAL_CAPACITY];
  private double[] losses = new double[INITIAL_CAPACITY];
  private int size;
  private int firstOverflow = -1;

  /// Adds the next clock.
  ///
  /// @param clockSeconds duration of the clock, finite, >= 0
  /// @param loss mean training loss of the clock; NaN or infinite when it overflowed
  public void append(double clockSeconds, double loss) {
    if (!(clockSeconds >= 0 && Double.isFinite(clockSeconds))) {
      throw new IllegalArgumentException(
          "clockSeconds must be finite and >= 0 but is " + clockSeconds);
    }
    if (size == losses.length) {
      seconds = Arrays.copyOf(seconds, 2 * size);
      losses = Arrays.copyOf(losses, 2 * size);
    }
    seconds[size] = totalSeconds() + clockSeconds;
    losses[size] = loss;
    if (firstOverflow < 0 && !Double.isFinite(loss)) {
      firstOverflow = size;
    }
    size++;
  }

  /// {@return the number of points, one per clock}
  public int size() {
    return size;
  }

  /// {@return branch seconds at the end of clock `index`}
  public double seconds(int index) {
    return seconds[checked(index)];
  }

  /// {@return the loss of clock `index`; may be NaN or infinite}
  public double loss(int index) {
    return losses[checked(index)];
  }

  /// {@return branch seconds of all clocks together; 0 when there is none}
  public double totalSeconds() {
    return size == 0 ? 0 : seconds[size - 1];
  }

  /// {@return the mean of all losses; NaN when there is none or one of them overflowed}
  public double meanLoss() {
    return size == 0 || hasOverflowed() ? Double.NaN : Windows.mean(losses, 0, size);
  }

  /// {@return whether some loss is NaN or infinite}
  public boolean hasOverflowed() {
    return firstOverflow >= 0;
  }

  /// {@return the first clock whose loss is NaN or infinite; -1 when there is none}
  public int firstOverflow() {
    return firstOverflow;
  }

  private int checked(int index) {
    if (index < 0 || index >= size) {
      throw new IllegalArgumentException("index must be in [0, " + size + ") but is " + index);
    }
    return index;
  }

  double[] secondsUpToSize() {
    return Arrays.copyOf(seconds, size);
  }

  double[] lossesUpToSize() {
    return Arrays.copyOf(losses, size);
  }
}
