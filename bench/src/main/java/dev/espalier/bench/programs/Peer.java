package dev.espalier.bench.programs;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A program of others, where it is installed.
///
/// @param binary the executable
record Peer(Path binary) {
  private static final Pattern CG_STEPS = Pattern.compile("CG\\s+(\\d+)");

  /// {@return the peer, if it is on the PATH}
  static Optional<Peer> find(String name) {
    return Arrays.stream(
            System.getenv().getOrDefault("PATH", "").split(Pattern.quote(File.pathSeparator)))
        .map(folder -> Path.of(folder, name))
        .filter(Files::isExecutable)
        .findFirst()
        .map(Peer::new);
  }

  /// What a run took and wrote.
  private record Run(double seconds, String output) {}

  private Run run(Path folder, List<String> arguments) throws IOException, InterruptedException {
    var command = new ArrayList<String>();
    command.add(binary.toString());
    command.addAll(arguments);
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(command + " failed: " + output);
    }
    return new Run((System.nanoTime() - start) / 1e9, output);
  }

  /// {@return LIBMF's seconds for a pass over the file `libmf`, less what it takes to read it}
  double libmfPassSeconds(Path folder, int rank, int threads, int passes)
      throws IOException, InterruptedException {
    double one = run(folder, libmf(rank, threads, 1)).seconds();
    return (run(folder, libmf(rank, threads, 1 + passes)).seconds() - one) / passes;
  }

  private static List<String> libmf(int rank, int threads, int passes) {
    return List.of(
        "-k", "" + rank, "-s", "" + threads, "-t", "" + passes, "--quiet", "libmf", "libmf.model");
  }

  /// LIBLINEAR's seconds for a sweep over the file `rcv` in primal logistic regression (solver 0):
  /// a sweep multiplies the data with a vector and back, once for each step of conjugate gradients
  /// and for each gradient.
  double liblinearSweepSeconds(Path folder) throws IOException, InterruptedException {
    Run coarse = run(folder, List.of("-s", "0", "-e", "0.3", "rcv", "liblinear.model"));
    Run fine = run(folder, List.of("-s", "0", "-e", "0.0001", "rcv", "liblinear.model"));
    return (fine.seconds() - coarse.seconds()) / (sweeps(fine.output()) - sweeps(coarse.output()));
  }

  private static int sweeps(String output) {
    int sweeps = 0;
    Matcher steps = CG_STEPS.matcher(output);
    while (steps.find()) {
      sweeps += 1 + Integer.parseInt(steps.group(1));
    }
    return sweeps;
  }
}
