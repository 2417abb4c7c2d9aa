package dev.espalier.api.model;

/// The number of a branch inside one job; 0 is the branch that training starts from.
///
/// @param number >= 0, unique in its job and never used again
public record BranchId(int number) implements Comparable<BranchId> {
  /// The branch that holds the initial parameters.
  public static final BranchId ROOT = new BranchId(0);

  public BranchId {
    if (number < 0) {
      throw new IllegalArgumentException("branch number must be >= 0 but is " + number);
    }
  }

  @Override
  public int compareTo(BranchId other) {
    return Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return "#" + number;
  }
}
