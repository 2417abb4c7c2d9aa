package dev.espalier.api.rest;

import java.util.List;

/// What random search over the settings that a job tried would have cost: the counterfactual bill.
///
/// Seconds are branch seconds, in the time of the job: measured, or of its cost model.
///
/// @param settings that the job tried, and measured the speed of; 0 when it tried none, and then
///   all seconds but `jobSeconds` are 0
/// @param diverged how many of them diverged
/// @param epochs passes over the data up to where the job is
/// @param bestEpoch passes over the data at the job's best result; 0 before the first
/// @param jobSeconds what the job spent so far, on all branches and evaluations
/// @param lowSeconds a search that stops each run where this job had its best result
/// @param seconds a search that trains each run as long as this job trained, and ends diverged ones
/// @param highSeconds a search that notices nothing and trains diverged ones as long
/// @param assumptions in words, one sentence each
public record BillView(
    String job,
    int settings,
    int diverged,
    double epochs,
    double bestEpoch,
    double jobSeconds,
    double lowSeconds,
    double seconds,
    double highSeconds,
    List<String> assumptions) {
  public BillView {
    assumptions = List.copyOf(assumptions);
  }
}
