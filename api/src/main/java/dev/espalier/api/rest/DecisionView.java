package dev.espalier.api.rest;

import java.time.Instant;
import java.util.Map;

/// A decision as the API shows it: what was compared, by which rule, with what outcome.
///
/// @param sequence position in the job's decision log, from 1
/// @param key unique in the job, such as `round-1/adopt`
public record DecisionView(
    long sequence,
    String key,
    String rule,
    String outcome,
    String actor,
    int round,
    Map<String, Object> evidence,
    Instant time) {}
