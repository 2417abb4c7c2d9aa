package dev.espalier.bench.frame;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/// The figures of one part of a suite, as they were measured.
///
/// @param name of the part
/// @param command what to type to measure it again
record Section(
    String name, String command, Instant time, Machine machine, List<Measurement> measurements) {
  Section {
    measurements = List.copyOf(measurements);
    time = time.truncatedTo(ChronoUnit.SECONDS);
  }

  /// {@return one line that says where the figures come from}
  String origin() {
    return "`" + command + "` on " + time.toString().substring(0, 10) + ": " + machine.line() + ".";
  }
}
