package dev.espalier.bench.tuning;

/// What the work of a job costs in simulated seconds.
///
/// `clock = perClockSeconds + perSampleSeconds x samples of one worker + syncSeconds / (1 +
/// staleness)`, where the last term is for several workers only.
///
/// @param perClockSeconds >= 0
/// @param perSampleSeconds >= 0; not both zero
/// @param syncSeconds waiting for the other workers at staleness 0, >= 0
/// @param perEvaluatedSampleSeconds of one validation sample, >= 0
/// @param perProbedSampleSeconds of one held-out training sample, >= 0
/// @param forkSeconds of one fork, >= 0
record CostModel(
    double perClockSeconds,
    double perSampleSeconds,
    double syncSeconds,
    double perEvaluatedSampleSeconds,
    double perProbedSampleSeconds,
    double forkSeconds) {
  CostModel {
    if (!(perClockSeconds >= 0
        && perSampleSeconds >= 0
        && perClockSeconds + perSampleSeconds > 0
        && syncSeconds >= 0
        && perEvaluatedSampleSeconds >= 0
        && perProbedSampleSeconds >= 0
        && forkSeconds >= 0)) {
      throw new IllegalArgumentException(
          ("costs must be >= 0, and perClockSeconds or perSampleSeconds > 0, but they are"
                  + " %s, %s, %s, %s, %s, %s")
              .formatted(
                  perClockSeconds,
                  perSampleSeconds,
                  syncSeconds,
                  perEvaluatedSampleSeconds,
                  perProbedSampleSeconds,
                  forkSeconds));
    }
  }

  /// {@return seconds of a clock in which each worker has `samples`}
  double clockSeconds(long samples, int staleness) {
    return perClockSeconds + perSampleSeconds * samples + syncSeconds / (1 + staleness);
  }

  double evaluationSeconds(long samples) {
    return perEvaluatedSampleSeconds * samples;
  }
}
