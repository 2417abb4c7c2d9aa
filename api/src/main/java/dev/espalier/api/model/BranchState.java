package dev.espalier.api.model;

/// Where a branch stands in its life.
public enum BranchState {
  /// Asked for, not yet confirmed by a first clock.
  FORKING,
  /// Alive, no clock scheduled.
  WAITING,
  /// Clocks are scheduled.
  RUNNING,
  /// Its trial is over and judged.
  MEASURED,
  /// The winner of its round; its work is part of the mainline.
  KEPT,
  /// Freed on purpose.
  DISCARDED,
  /// Freed because its loss overflowed or rose beyond the bound.
  FAILED,
  /// Gone with the workers that held it.
  LOST
}
