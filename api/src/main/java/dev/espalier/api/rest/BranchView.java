package dev.espalier.api.rest;

import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.BranchState;
import dev.espalier.api.model.Goal;
import dev.espalier.api.model.Verdict;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A branch as the API shows it.
///
/// @param branch its number in the job
/// @param parent number of its parent; null for a first branch
/// @param round the round it belongs to; 0 for none
/// @param start that it belongs to, from 1
/// @param forkClock mainline clock of its fork point
/// @param clocks clocks it has run
/// @param seconds branch seconds it has run
/// @param verdict null before it was judged
/// @param speed loss per second; null before it was judged
/// @param noise largest upward step between window means; null before it was judged
/// @param windowMeans the means that the judgement used
/// @param windowSeconds their times
/// @param heldOutLoss mean loss on the samples that judge races (of a root mean square error its
///   square) at the end of its last lap in a race; null before, after an overflow, and where
///   nothing races
/// @param heldOutMetric the metric whose negative that is, where the program measures no loss on
///   these samples; else null
/// @param validation the best of its own validation results, and of those of a branch whose place
///   it took when workers were lost; null where it has none, or they came before this was written
///   down
public record BranchView(
    int branch,
    @Nullable Integer parent,
    BranchKind kind,
    int round,
    Map<String, Double> setting,
    BranchState state,
    int start,
    long forkClock,
    long clocks,
    double seconds,
    @Nullable Verdict verdict,
    @Nullable Double speed,
    @Nullable Double slope,
    @Nullable Double noise,
    List<@Nullable Double> windowMeans,
    List<Double> windowSeconds,
    @Nullable Double heldOutLoss,
    @Nullable String heldOutMetric,
    @Nullable Validation validation) {
  /// The best validation result of a branch.
  ///
  /// @param metric that judges the model
  /// @param goal which values of it are better
  /// @param best its value
  /// @param epoch passes over the training data at which the branch had it first
  public record Validation(String metric, Goal goal, double best, double epoch) {}
}
