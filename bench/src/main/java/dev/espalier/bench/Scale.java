package dev.espalier.bench;

/// How long and how large to measure.
///
/// @param tableMebibytes size of the table that is forked
/// @param forks how many rounds of forks to take the median of
/// @param warmUpSeconds run before each rate is measured
/// @param measuredSeconds run while each rate is measured
/// @param jobSeconds measured of each job, from its first clocks on
/// @param starts how many servers to start to take the median of
record Scale(
    int tableMebibytes,
    int forks,
    double warmUpSeconds,
    double measuredSeconds,
    int jobSeconds,
    int starts) {
  static final Scale FULL = new Scale(1024, 21, 3, 5, 12, 3);
  static final Scale QUICK = new Scale(128, 5, 0.5, 1, 6, 1);

  /// {@return the table's size for people}
  String tableSize() {
    return tableMebibytes % 1024 == 0 ? tableMebibytes / 1024 + " GiB" : tableMebibytes + " MiB";
  }
}
