package dev.espalier.bench.programs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// LIBLINEAR's program.
///
/// @param binary the executable
record Liblinear(Path binary) {
  private static final Pattern CG_STEPS = Pattern.compile("CG\\s+(\\d+)");

  /// {@return LIBLINEAR, if it is installed}
  static Optional<Liblinear> find() {
    return Peers.program("liblinear-train").map(Liblinear::new);
  }

  /// What a run took and wrote.
  private record Run(double seconds, String output) {}

  /// Its seconds for a sweep over the file `rcv` in primal logistic regression (solver 0): a sweep
  /// multiplies the data with a vector and back, once for each step of conjugate gradients and for
  /// each gradient.
  double sweepSeconds(Path folder) throws IOException, InterruptedException {
    Run coarse = run(folder, "0.3");
    Run fine = run(folder, "0.0001");
    return (fine.seconds() - coarse.seconds()) / (sweeps(fine.output()) - sweeps(coarse.output()));
  }

  private Run run(Path folder, String tolerance) throws IOException, InterruptedException {
    List<String> command =
        List.of(binary.toString(), "-s", "0", "-e", tolerance, "rcv", "liblinear.model");
    long start = System.nanoTime();
    Process process =
        new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new IOException(command + " failed: " + output);
    }
    return new Run((System.nanoTime() - start) / 1e9, output);
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
