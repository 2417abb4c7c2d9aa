package dev.espalier.api.rest;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Validation metrics of the mainline at one point.
///
/// @param start whose mainline was evaluated, from 1
/// @param epoch passes over the training data in that start
/// @param atSeconds seconds of the job's life
/// @param metrics value by name; null stands for NaN
public record EvaluationView(
    int start,
    long mainlineClock,
    double epoch,
    double atSeconds,
    Map<String, @Nullable Double> metrics) {}
