package dev.espalier.ps.branch;

/// The number of a branch; never used for a second branch.
///
/// @param number >= 0
public record BranchRef(int number) {

  /// Checks the number.
  public BranchRef {
    if (number < 0) {
      throw new IllegalArgumentException("number of a branch must be >= 0 but is " + number);
    }
  }

  @Override
  public String toString() {
    return "branch " + number;
  }
}
