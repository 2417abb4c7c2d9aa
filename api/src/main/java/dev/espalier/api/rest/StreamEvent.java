package dev.espalier.api.rest;

import java.time.Instant;
import java.util.Map;

/// One event of a job's live stream.
///
/// @param sequence for `Last-Event-ID`; from 1 per job, 0 for events that are not kept
/// @param type `job.changed`, `branch.changed`, `round.changed`, `decision.made`,
///   `schedule.changed`, `result.changed`, `evaluation.made`, `snapshot.changed`, `worker.stalled`,
///   or `metric.window`
/// @param data the matching view; of `schedule.changed` the step that takes the place of all from
///   its clock on, of `result.changed` what of the path is new
public record StreamEvent(
    String job, long sequence, String type, Instant time, Map<String, Object> data) {}
