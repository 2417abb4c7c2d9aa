package dev.espalier.tuner.app.port;

/// What the runners count.
public interface TunerMeters {
  void roundStarted(String job);

  void clocks(String job, long count);

  void forked(double seconds);

  /// Time from a report's arrival to the moment its commands left, in seconds.
  void reportLatency(double seconds);

  void branches(String job, int live);

  /// @param share tuning seconds over all branch seconds, 0 to 1
  void tuningShare(String job, double share);

  /// The job has ended: its gauges go.
  void ended(String job);
}
