package dev.espalier.runtime.check;

import dev.espalier.runtime.check.Finding.Verdict;

/// One thing that a program keeps to.
///
/// @param name as findings call it
/// @param isNeeded whether nothing more can be looked at where it fails
/// @param look runs the program and judges what came of it
record Check(String name, boolean isNeeded, Look look) {
  /// Runs a program and judges what came of it.
  @FunctionalInterface
  interface Look {
    Verdict at(Subject subject) throws InterruptedException;
  }

  /// A check after whose failure the others can still be made.
  static Check of(String name, Look look) {
    return new Check(name, false, look);
  }

  /// A check that all others need.
  static Check needed(String name, Look look) {
    return new Check(name, true, look);
  }
}
