package dev.espalier.runtime.check;

/// What one check of a program found.
///
/// @param check what was looked at, such as `a fork goes on as its parent does`
/// @param outcome how it ended
/// @param sentence what was seen and, where it is wrong, what to do about it
public record Finding(String check, Outcome outcome, String sentence) {
  /// How a check ends.
  public enum Outcome {
    /// The program is right.
    PASSED,
    /// The program can run, but something looks odd.
    WARNED,
    /// The tuner would be misled, or a job would fail.
    FAILED,
    /// There was nothing to look at.
    SKIPPED
  }

  @Override
  public String toString() {
    return check + ": " + sentence;
  }

  /// What a check says; the check's own name is put to it later.
  record Verdict(Outcome outcome, String sentence) {
    static Verdict passed(String sentence, Object... values) {
      return new Verdict(Outcome.PASSED, worded(sentence, values));
    }

    static Verdict warned(String sentence, Object... values) {
      return new Verdict(Outcome.WARNED, worded(sentence, values));
    }

    static Verdict failed(String sentence, Object... values) {
      return new Verdict(Outcome.FAILED, worded(sentence, values));
    }

    static Verdict skipped(String sentence, Object... values) {
      return new Verdict(Outcome.SKIPPED, worded(sentence, values));
    }

    /// A sentence without values may be the program's own words, and hold any sign.
    private static String worded(String sentence, Object... values) {
      return values.length == 0 ? sentence : sentence.formatted(values);
    }
  }
}
