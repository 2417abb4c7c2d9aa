package dev.espalier.tuner.core.policy;

/// One part of a round, moved on by the clocks of its branches.
sealed interface RoundPhase permits ProbePhase, TrialTimePhase, SearchPhase {
  void begin();

  /// One more clock of some branch was counted.
  void clockReported(Branch branch);
}
