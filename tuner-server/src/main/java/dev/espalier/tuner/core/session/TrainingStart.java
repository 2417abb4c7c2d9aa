package dev.espalier.tuner.core.session;

/// A beginning of a job's training from the untrained model: the first, or a new one where the one
/// before overfitted.
///
/// @param number in the job, from 1
/// @param earlierEpochs passes over the data of the starts before it, which were given up; the
///   job's epochs bound them and its own together
public record TrainingStart(int number, double earlierEpochs) {
  /// What every job begins with.
  public static final TrainingStart FIRST = new TrainingStart(1, 0);

  public TrainingStart {
    if (number < 1) {
      throw new IllegalArgumentException("number must be >= 1 but is " + number);
    }
    if (!(earlierEpochs >= 0)) {
      throw new IllegalArgumentException("earlierEpochs must be >= 0 but is " + earlierEpochs);
    }
  }
}
