package dev.espalier.ps.clock;

/// How many clocks of other workers a read may miss; 0 is bulk synchronous.
///
/// @param bound >= 0, in clocks of the branch
public record Staleness(int bound) {
  private static final Staleness BULK_SYNCHRONOUS = new Staleness(0);

  /// Checks the bound.
  public Staleness {
    if (bound < 0) {
      throw new IllegalArgumentException("staleness must be >= 0 but is " + bound);
    }
  }

  /// Reads miss nothing.
  public static Staleness bulkSynchronous() {
    return BULK_SYNCHRONOUS;
  }
}
