package dev.espalier.bench.frame;

import java.util.List;
import java.util.function.Function;

/// What one command measures.
///
/// @param name by which the command line asks for it
/// @param about one line for the help
/// @param parts its parts for a quick run (true) or a full one (false), in the order of the report
public record Suite(String name, String about, Function<Boolean, List<Part>> parts) {

  /// Benchmarks that share a table of the report and can be run by themselves.
  ///
  /// @param name by which the command line asks for it
  /// @param benchmarks in the order of the table
  public record Part(String name, List<Benchmark> benchmarks) {
    /// Copies the list.
    public Part {
      benchmarks = List.copyOf(benchmarks);
    }
  }

  /// {@return the names of all parts}
  List<String> partNames() {
    return parts.apply(true).stream().map(Part::name).toList();
  }
}
