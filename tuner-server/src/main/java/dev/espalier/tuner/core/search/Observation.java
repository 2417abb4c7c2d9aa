package dev.espalier.tuner.core.search;

import static java.util.Objects.requireNonNull;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Verdict;

/// What is known of one setting that was tried.
///
/// A trial that is extended is observed once, with its latest speed: better measurements replace
/// earlier ones.
///
/// @param speed loss per second, >= 0, never NaN; 0 when it diverged
public record Observation(Setting setting, double speed, Verdict verdict) {
  public Observation {
    requireNonNull(setting, "setting");
    requireNonNull(verdict, "verdict");
    if (!(speed >= 0)) {
      throw new IllegalArgumentException("speed must be >= 0 but is " + speed);
    }
  }
}
