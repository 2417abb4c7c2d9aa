package dev.espalier.cli.watch;

import dev.espalier.api.rest.JobView;
import dev.espalier.cli.screen.Words;
import java.util.ArrayList;

/// How long a job may still take.
final class Remaining {
  private Remaining() {}

  /// {@return such as `, about 48.0 s left at most (epoch 3 of 8)`; empty when no bound says
  /// anything}
  static String inWords(JobView job, StopBounds bounds) {
    var reasons = new ArrayList<String>();
    if (bounds.maxSeconds() > 0) {
      reasons.add(
          Words.seconds(job.seconds()) + " of " + Words.seconds(bounds.maxSeconds()) + " used");
    }
    if (bounds.maxEpochs() > 0) {
      double epochs = job.earlierEpochs() + job.epoch();
      reasons.add(
          "epoch "
              + (long) epochs
              + " of "
              + Words.number(bounds.maxEpochs())
              + (job.start() > 1 ? " over " + job.start() + " starts" : ""));
    }
    if (reasons.isEmpty()) {
      return "";
    }
    if (job.modelled()) {
      reasons.add("seconds by its cost model");
    }
    String words = String.join(", ", reasons);
    return job.secondsLeft() == null
        ? " (" + words + ")"
        : ", about " + Words.seconds(job.secondsLeft()) + " left at most (" + words + ")";
  }
}
