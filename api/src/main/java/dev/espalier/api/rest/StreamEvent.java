package dev.espalier.api.rest;

import java.time.Instant;
import java.util.Map;

/// One event of a job's live stream.
///
/// @param sequence for `Last-Event-ID`; from 1 per job, 0 for events that are not kept
/// @param type `job.changed`, `branch.changed`, `round.changed`, `decision.made`,
///   `schedule.changed`, `result.changed`, `evaluation.made`, `snapshot.changed`, or
///   `metric.window`
/// @param data the matching view
public record StreamEvent(
    String job, long sequence, String type, Instant time, Map<String, Object> data) {}
