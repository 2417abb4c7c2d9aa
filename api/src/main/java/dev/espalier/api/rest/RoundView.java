package dev.espalier.api.rest;

import dev.espalier.api.model.RoundTrigger;
import org.jspecify.annotations.Nullable;

/// A tuning round as the API shows it.
///
/// @param phase of a race `racing`, else `probing`, `trial-time`, `searching`; then `ended`
/// @param trialSeconds current trial time in branch seconds
/// @param winner branch that was adopted; null while none is
/// @param outcome one sentence once ended; empty before
public record RoundView(
    int round,
    RoundTrigger trigger,
    String phase,
    int parent,
    int trials,
    int maxTrials,
    double trialSeconds,
    @Nullable Integer winner,
    String outcome) {}
