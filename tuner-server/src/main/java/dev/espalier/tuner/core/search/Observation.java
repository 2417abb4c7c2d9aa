package dev.espalier.tuner.core.search;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;

/// What is known of one setting that was tried.
///
/// A trial that is extended is observed once, with its latest speed: better measurements replace
/// earlier ones.
///
/// @param score the higher the better, finite; for a trial its speed in loss per second, >= 0, for
///   a run its validation metric, negated where small is good; of a diverged one it says nothing
public record Observation(Setting setting, double score, Verdict verdict) {
  public Observation {
    requireNonNull(setting, "setting");
    requireNonNull(verdict, "verdict");
    if (!Double.isFinite(score)) {
      throw new IllegalArgumentException("score must be finite but is " + score);
    }
  }
}
