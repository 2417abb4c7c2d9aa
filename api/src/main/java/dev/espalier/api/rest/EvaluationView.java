package dev.espalier.api.rest;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Validation metrics of a branch at one point.
///
/// @param start that the branch belongs to, from 1
/// @param branch that was evaluated; null where it was not written down
/// @param leads whether it is a result of the mainline, or where a population has none the best of
///   all runs so far; the others are of runs that some other one led
/// @param mainlineClock clocks of the branch and of its ancestors
/// @param epoch passes over the training data in that start
/// @param atSeconds seconds of the job's life
/// @param metrics value by name; null stands for NaN
public record EvaluationView(
    int start,
    @Nullable Integer branch,
    boolean leads,
    long mainlineClock,
    double epoch,
    double atSeconds,
    Map<String, @Nullable Double> metrics) {}
