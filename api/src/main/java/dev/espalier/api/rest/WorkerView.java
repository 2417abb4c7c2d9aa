package dev.espalier.api.rest;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// A worker of a job's current generation as the API shows it.
///
/// @param worker its number, from 0
/// @param attached whether its link is up
/// @param lastHeardTime when it last sent anything; null before it first did
/// @param stall what its program has been at for far longer than usual, in words; null while it
///   goes on
public record WorkerView(
    int worker, boolean attached, @Nullable Instant lastHeardTime, @Nullable String stall) {}
