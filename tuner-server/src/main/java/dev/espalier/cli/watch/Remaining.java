package dev.espalier.cli.watch;

import dev.espalier.api.rest.JobView;
import dev.espalier.cli.screen.Words;
import java.util.ArrayList;

/// How long a job may still take.
final class Remaining {
  private Remaining() {}

  /// {@return such as `, at most 48.0 s left (epoch 3 of 8)`; empty when no bound says anything}
  static String inWords(JobView job, StopBounds bounds) {
    double spent = job.tuningSeconds() + job.trainingSeconds() + job.evaluationSeconds();
    double left = Double.POSITIVE_INFINITY;
    var reasons = new ArrayList<String>();
    if (bounds.maxSeconds() > 0) {
      left = Math.max(0, bounds.maxSeconds() - spent);
      reasons.add(Words.seconds(spent) + " of " + Words.seconds(bounds.maxSeconds()) + " used");
    }
    if (bounds.maxEpochs() > 0) {
      reasons.add("epoch " + (long) job.epoch() + " of " + Words.number(bounds.maxEpochs()));
      if (job.epoch() > 0 && job.trainingSeconds() > 0) {
        double perEpoch = job.trainingSeconds() / job.epoch();
        left = Math.min(left, Math.max(0, bounds.maxEpochs() - job.epoch()) * perEpoch);
      }
    }
    if (reasons.isEmpty()) {
      return "";
    }
    if (bounds.modelled()) {
      reasons.add("seconds by its cost model");
    }
    String words = String.join(", ", reasons);
    return Double.isInfinite(left)
        ? " (" + words + ")"
        : ", about " + Words.seconds(left) + " left at most (" + words + ")";
  }
}
