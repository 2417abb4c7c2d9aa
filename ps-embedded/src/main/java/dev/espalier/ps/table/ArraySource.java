package dev.espalier.ps.table;

/// Where arrays for updates come from, and go back to.
@FunctionalInterface
public interface ArraySource {

  /// An array with whatever content.
  float[] take(int length);

  /// Takes an array back that nobody else knows any more.
  default void giveBack(float[] array) {}
}
