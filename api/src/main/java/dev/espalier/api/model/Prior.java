package dev.espalier.api.model;

import java.util.List;

/// What an earlier job of a program found, as far as it is of use to a new one.
///
/// @param job id of the earlier job
/// @param setting values by tunable of the new job; empty when nothing of it can be used
/// @param metric that judged the earlier job
/// @param value that it reached; may be NaN
/// @param epoch passes over the data to that value
/// @param sameData whether it was trained on the same data, with the same arguments of the program
/// @param notes sentences on what was left out, and why
public record Prior(
    String job,
    Setting setting,
    String metric,
    double value,
    double epoch,
    boolean sameData,
    List<String> notes) {
  public Prior {
    notes = List.copyOf(notes);
  }

  /// {@return whether there is a setting to try}
  public boolean hasSetting() {
    return !setting.values().isEmpty();
  }
}
