package dev.espalier.bench.programs;

import dev.espalier.bench.frame.JavaProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// LIBMF's shared library, called in a process of its own.
///
/// @param library of version 2
record Libmf(Path library) {
  /// How LIBMF is asked to train; the rest are its defaults.
  ///
  /// @param learningRate its first one: LIBMF lets it fall row by row
  /// @param l2 weight of the squares of both factors
  record Training(int rank, float learningRate, float l2) {}

  /// What it comes to.
  ///
  /// @param ratingsPerSecond of every pass but the first, before which the ratings are laid out
  /// @param error root of the mean squared error over the test ratings, as `mf` has it: predictions
  ///   are clipped to the range of the training ratings
  record Result(double ratingsPerSecond, double error) {}

  /// {@return LIBMF, if it is installed}
  static Optional<Libmf> find() {
    return Peers.library("mf").map(Libmf::new);
  }

  /// Trains on `u1.base` and tests on `u1.test`.
  ///
  /// @param passes over the data, >= 2
  Result train(Path folder, Training training, int threads, int passes)
      throws IOException, InterruptedException {
    List<String> arguments =
        List.of(
            library.toString(),
            folder.toString(),
            "" + training.rank(),
            "" + training.learningRate(),
            "" + training.l2(),
            "" + threads,
            "" + passes);
    String[] figures =
        new JavaProcess(List.of("-Xmx512m"), LibmfProcess.class, arguments)
            .result(LibmfProcess.RESULT)
            .split(" ");
    return new Result(Double.parseDouble(figures[0]), Double.parseDouble(figures[1]));
  }
}
