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
    var reasons = new ArrayList<String>();
    if (bounds.maxSeconds() > 0) {
      reasons.add(Words.seconds(spent) + " of " + Words.seconds(bounds.maxSeconds()) + " used");
    }
    if (bounds.maxEpochs() > 0) {
      reasons.add("epoch " + (long) job.epoch() + " of " + Words.number(bounds.maxEpochs()));
    }
    if (reasons.isEmpty()) {
      return "";
    }
    if (bounds.modelled()) {
      reasons.add("seconds by its cost model");
    }
    String words = String.join(", ", reasons);
    return job.secondsLeft() == null
        ? " (" + words + ")"
        : ", about " + Words.seconds(job.secondsLeft()) + " left at most (" + words + ")";
  }
}
