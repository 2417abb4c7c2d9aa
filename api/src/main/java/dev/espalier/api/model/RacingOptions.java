package dev.espalier.api.model;

import static java.util.Objects.requireNonNullElse;

/// Constants of the `racing` policy; `docs/JOB_FILE.md` says what each is for.
///
/// @param budget share of the time so far that tuning may cost at most, in [0, 0.9]
/// @param confidence of each one-sided bound of a difference, in (0.5, 1)
/// @param probe where the samples come from that branches are judged by
/// @param probeSamples to judge branches by, >= 16
/// @param probeShare of the training samples that may be held out for it at most, in (0, 0.5]
/// @param challengers settings that race the incumbent at a time, >= 1
/// @param rateStep factor of the first moves of a rate, > 1
/// @param leastRateStep factor that moves of a rate shrink to, > 1
/// @param trialClocks clocks that an entrant runs at least, >= 1
/// @param trialShare of the time so far that an entrant runs at least before it is judged, in [0,
///   0.5]
/// @param lapGrowth time at the end of a lap over the time at its beginning, > 1
/// @param cooldown share of a lap over which its rate falls to zero, in [0, 1]
/// @param evaluationShare share of the time that evaluations may take, in (0, 1]; a longer lap
///   waits
/// @param patience the job has converged when its best is older than this share of its time, in (0,
///   1), after three passes at least
/// @param spike a lap whose loss ends above this many times the loss before, and a twentieth of the
///   range of what was kept so far above it, is undone, > 1
/// @param overfit a validation result that is worse than the best by this share of the range of all
///   results means that training must go back, > 0
/// @param restarts how often a model that overfits may begin anew with another setting, >= 0
/// @param restartShare of the time so far that training to the best may have taken at most, where
///   it begins anew, in [0, 1]
public record RacingOptions(
    double budget,
    double confidence,
    ProbeSource probe,
    int probeSamples,
    double probeShare,
    int challengers,
    double rateStep,
    double leastRateStep,
    int trialClocks,
    double trialShare,
    double lapGrowth,
    double cooldown,
    double evaluationShare,
    double patience,
    double spike,
    double overfit,
    int restarts,
    double restartShare) {
  private static final double DEFAULT_OVERFIT = 0.1;

  public RacingOptions {
    if (overfit == 0) {
      // Jobs that were stored before there was this bound have none.
      overfit = DEFAULT_OVERFIT;
    }
    // Jobs that were stored before there was a choice hold samples out.
    probe = requireNonNullElse(probe, ProbeSource.HELD_OUT);
  }

  /// What a job file that says nothing gets.
  public static final RacingOptions DEFAULTS =
      new RacingOptions(
          0.25,
          0.95,
          ProbeSource.VALIDATION,
          1000,
          0.05,
          4,
          4,
          1.5,
          8,
          0.03,
          1.2,
          0.4,
          0.2,
          0.65,
          2,
          DEFAULT_OVERFIT,
          6,
          0.6);

  /// {@return which samples workers judge by}
  public HeldOut heldOut() {
    return new HeldOut(probeSamples, probeShare, probe);
  }
}
