package dev.espalier.api.rest;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// One event of a job's live stream.
///
/// @param sequence for `Last-Event-ID`; from 1 per job, 0 for events that are not kept
/// @param type `job.changed`, `branch.changed`, `round.changed`, `decision.made`,
///   `schedule.changed`, `result.changed`, `evaluation.made`, `snapshot.changed`, `job.stalled`,
///   `worker.stalled`, or `metric.window`
/// @param data the matching view; of `schedule.changed` the step that takes the place of all from
///   its clock on, of `result.changed` what of the path is new, of `job.stalled` the `stall`, which
///   is absent when the job goes on
public record StreamEvent(
    String job, long sequence, String type, Instant time, Map<String, Object> data) {
  /// {@return an event, which is not kept, that says whether a job stands still}
  public static StreamEvent stall(String job, Instant time, Optional<JobView.Stall> stall) {
    return new StreamEvent(
        job,
        0,
        "job.stalled",
        time,
        stall.<Map<String, Object>>map(one -> Map.of("stall", one)).orElse(Map.of()));
  }
}
