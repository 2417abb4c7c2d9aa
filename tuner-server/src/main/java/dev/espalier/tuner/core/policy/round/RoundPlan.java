package dev.espalier.tuner.core.policy.round;

import dev.espalier.api.model.RoundTrigger;

/// What is fixed about a round before it starts.
///
/// @param number from 1
/// @param attempt 1, and one more each time that workers were lost in the middle of it
/// @param label in words, such as `re-tune 3`
/// @param maxTrials settings it may try, >= 1
/// @param isSearch whether it searches, rather than races settings that a person named
record RoundPlan(
    int number,
    int attempt,
    RoundTrigger trigger,
    String label,
    int maxTrials,
    boolean isSearch,
    String actor) {
  /// {@return the key of one of its decisions}
  String key(String decision) {
    return "round-" + number + (attempt > 1 ? "." + attempt : "") + "/" + decision;
  }

  RoundPlan again() {
    return new RoundPlan(number, attempt + 1, trigger, label, maxTrials, isSearch, actor);
  }
}
