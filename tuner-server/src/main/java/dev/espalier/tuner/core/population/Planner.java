package dev.espalier.tuner.core.population;

import java.util.List;

/// Decides what a population trains next.
///
/// A pure function of the runs so far: asked again with the same runs it answers the same, whatever
/// was lost in between. It is asked when nothing is under way, and a run then stands where the last
/// order about it said, or diverged before.
public interface Planner {
  /// {@return what to do next}
  ///
  /// @param runs all runs so far, by number
  Order next(List<Run> runs);
}
