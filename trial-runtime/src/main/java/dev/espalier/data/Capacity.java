package dev.espalier.data;

/// How large an array becomes that a file's values are collected in.
final class Capacity {
  /// The most elements that an array can have on every JVM.
  static final int MOST = Integer.MAX_VALUE - 8;

  private Capacity() {}

  /// {@return at least `needed`, and twice what there is if an array can have so many}
  ///
  /// @param present elements now
  /// @param what they are, for the message, in the plural
  /// @throws dev.espalier.api.model.EspalierException `INVALID_DATA` when no array can have so many
  static int larger(int present, long needed, DataFile file, String what) {
    if (needed > MOST) {
      throw file.invalid("expected at most %d %s but there are more".formatted(MOST, what));
    }
    return (int) Math.clamp(2L * present, needed, MOST);
  }
}
