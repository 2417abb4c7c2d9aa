package dev.espalier.bench.frame;

import java.util.List;

/// A group of figures that are measured together.
public interface Benchmark {
  /// {@return what is measured, for the progress line}
  String title();

  /// {@return the figures, in the order of the table}
  List<Measurement> measure() throws Exception;
}
