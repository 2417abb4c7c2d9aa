package dev.espalier.api.rest;

import java.util.List;
import java.util.Map;

/// The mainline's settings over time.
public record ScheduleView(String job, List<Step> steps) {
  public ScheduleView {
    steps = List.copyOf(steps);
  }

  /// One setting and where it starts.
  ///
  /// @param fromClock mainline clock, ancestors' clocks included
  /// @param fromEpoch the same in passes over the training data
  public record Step(long fromClock, double fromEpoch, int branch, Map<String, Double> setting) {}
}
