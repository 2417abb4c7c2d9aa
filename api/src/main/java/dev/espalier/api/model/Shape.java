package dev.espalier.api.model;

/// How the learning rate of a branch's setting runs over the clocks of the branch.
///
/// A rate that ends at zero takes the noise of the last steps out of the model, so a constant rate
/// with a short linear decay at its end reaches what a decay over the whole run reaches, without
/// knowing the length of the run beforehand (Haegele et al. 2024, section 3; Defazio et al. 2023,
/// section 3 for why the decay is linear).
public sealed interface Shape {
  /// The setting's own rate at all clocks.
  Shape CONSTANT = new Constant();

  /// {@return what the setting's learning rate is multiplied with at a clock, in [0, 1]}
  ///
  /// @param clock branch-internal, from 0: clocks that are over
  double factor(long clock);

  /// {@return the same shape with clocks counted from another beginning}
  ///
  /// @param clocks what is added to every clock number; where a fall ends before clock 1 then,
  ///   nothing of it is left
  Shape shifted(long clocks);

  /// {@return a rate that falls from the setting's own to zero between two clocks}
  static Shape linearToZero(long fromClock, long untilClock) {
    return new LinearToZero(fromClock, untilClock);
  }

  /// The setting's own rate at all clocks.
  record Constant() implements Shape {
    @Override
    public double factor(long clock) {
      return 1;
    }

    @Override
    public Shape shifted(long clocks) {
      return this;
    }
  }

  /// The setting's own rate up to and with clock `fromClock`, then `(until - clock) / (until -
  /// from)`, so that the clock before `untilClock` still moves the model. From `untilClock` on it
  /// is the setting's own again: workers that have lost the tuner go on with it.
  ///
  /// @param fromClock branch-internal; negative where the branch began while the rate was falling
  /// @param untilClock branch-internal, >= 1 and > fromClock
  record LinearToZero(long fromClock, long untilClock) implements Shape {
    public LinearToZero {
      if (untilClock < 1 || untilClock <= fromClock) {
        throw new IllegalArgumentException(
            "need fromClock < untilClock and untilClock >= 1 but they are "
                + fromClock
                + " and "
                + untilClock);
      }
    }

    @Override
    public double factor(long clock) {
      boolean isFalling = clock > fromClock && clock < untilClock;
      return isFalling ? (double) (untilClock - clock) / (untilClock - fromClock) : 1;
    }

    @Override
    public Shape shifted(long clocks) {
      return untilClock + clocks >= 1
          ? new LinearToZero(fromClock + clocks, untilClock + clocks)
          : CONSTANT;
    }
  }
}
