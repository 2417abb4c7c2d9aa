package dev.espalier.cli.watch;

import dev.espalier.api.rest.JobView;
import dev.espalier.cli.screen.Words;

/// Passes over the data in words: how many, and in which start where there was more than one.
public final class Epochs {
  private Epochs() {}

  /// {@return such as `4.25`, or `4.25 of start 2`}
  public static String inWords(JobView job) {
    return inWords(job.epoch(), job.start(), job);
  }

  /// {@return the same of a place in one of the job's starts}
  static String inWords(double epoch, int start, JobView job) {
    return Math.max(start, job.start()) > 1
        ? rounded(epoch) + " of start " + start
        : rounded(epoch);
  }

  /// {@return such as `4.25`, or `12.5 in 2 starts`: what the job's bound counts}
  static String inAll(JobView job) {
    String all = rounded(job.earlierEpochs() + job.epoch());
    return job.start() > 1 ? all + " in " + job.start() + " starts" : all;
  }

  private static String rounded(double epochs) {
    return Words.number(Math.round(epochs * 100) / 100.0);
  }
}
