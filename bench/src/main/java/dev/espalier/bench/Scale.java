package dev.espalier.bench;

import dev.espalier.bench.frame.Rate;

/// How long and how large to measure.
///
/// @param tableMebibytes size of the table that is forked
/// @param clockMebibytes size of the table whose dense clocks are measured
/// @param forks how many rounds of forks to take the median of
/// @param rate how long each rate is measured
/// @param jobSeconds measured of each job with one worker, from its first clocks on
/// @param sharedJobSeconds the same of jobs whose workers share the machine, and compile for longer
/// @param starts how many servers to start to take the median of
record Scale(
    int tableMebibytes,
    int clockMebibytes,
    int forks,
    Rate rate,
    int jobSeconds,
    int sharedJobSeconds,
    int starts) {
  static final Scale FULL = new Scale(1024, 256, 21, new Rate(3, 5), 12, 48, 3);
  static final Scale QUICK = new Scale(128, 64, 5, new Rate(0.5, 1), 6, 6, 1);
}
