package dev.espalier.tuner.core.session;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/// An immutable record of what was compared, by which rule, with what outcome.
///
/// @param key unique in its job, such as `round-1/adopt`; the log takes each key once
/// @param rule the rule that decided, such as `mltuner.fastest-trial`
/// @param outcome one sentence for people
/// @param actor `policy`, or who asked
/// @param round 0 outside rounds
/// @param evidence numbers and texts the rule used, in reading order; values are String, Double,
///   Long, Boolean, or lists and maps of them
public record Decision(
    String key,
    String rule,
    String outcome,
    String actor,
    int round,
    Map<String, Object> evidence) {
  public Decision {
    requireNonNull(key, "key");
    requireNonNull(rule, "rule");
    requireNonNull(outcome, "outcome");
    requireNonNull(actor, "actor");
    evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
  }
}
