package dev.espalier.tuner.core.search;

import dev.espalier.api.model.Setting;
import java.util.List;
import java.util.Optional;

/// Proposes settings, aiming at the highest score.
///
/// A pure function of space, seed, observations and draw number: asked again with the same
/// arguments it answers the same, so that nothing is lost in a crash, and better measurements of
/// old trials reach it for free.
public interface Searcher {
  /// Proposes the next setting.
  ///
  /// @param observations of all settings tried so far in this search, in the order of their trials
  /// @param draw how many proposals were made before in this search, >= 0
  /// @return values for the searched tunables only; empty when there is nothing left to try
  Optional<Setting> propose(List<Observation> observations, long draw);
}
