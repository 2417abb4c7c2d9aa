package dev.espalier.tuner.core.policy.round;

import dev.espalier.tuner.core.policy.board.Branch;
import java.util.Optional;

/// One part of a round, moved on by the clocks of its branches.
sealed interface RoundPhase permits ProbePhase, TrialTimePhase, SearchPhase {
  void begin();

  /// One more clock of some branch was counted.
  void clockReported(Branch branch);

  /// {@return why a trial cannot be given up now; empty when it can}
  Optional<String> reasonToHold(Trial trial);

  /// A person gave a trial up; its branch is freed already.
  void givenUp(Trial trial);
}
