package dev.espalier.programs.nn;

import dev.espalier.programs.LocalTraining;
import java.nio.file.Path;
import java.util.*;

public final class Probe {
  public static void main(String[] a) {
    if (a[0].equals("gemm")) {
      gemm();
      return;
    }
    Optional<Path> data = a[0].equals("gen") ? Optional.empty() : Optional.of(Path.of(a[0]));
    int epochs = Integer.parseInt(a[1]);
    double[] rates = Arrays.stream(a[2].split(",")).mapToDouble(Double::parseDouble).toArray();
    double[] moms = Arrays.stream(a[3].split(",")).mapToDouble(Double::parseDouble).toArray();
    double[] batches = Arrays.stream(a[4].split(",")).mapToDouble(Double::parseDouble).toArray();
    Map<String, String> args = new HashMap<>();
    for (int i = 5; i < a.length; i++) {
      String[] kv = a[i].split("=", 2);
      args.put(kv[0], kv[1]);
    }
    for (double b : batches)
      for (double lr : rates)
        for (double m : moms) {
          long t = System.nanoTime();
          try (var training = LocalTraining.of(MultilayerPerceptron::new, args, data, 1, 1)) {
            long opened = System.nanoTime() - t;
            training.with("learningRate", lr).with("momentum", m).with("batchSize", b);
            t = System.nanoTime();
            double loss = training.epochs(epochs);
            long took = System.nanoTime() - t;
            double clocks = Math.floor(training.shape().trainingSamples() / b) * epochs;
            t = System.nanoTime();
            var e = training.evaluations().getFirst().metrics();
            System.out.printf(
                "b=%.0f lr=%g m=%.2f train %.4f %s open %.2fs clocks/s %.0f samples/s %.0f eval %.2fs%n",
                b,
                lr,
                m,
                loss,
                e,
                opened / 1e9,
                clocks / took * 1e9,
                clocks * b / took * 1e9,
                (System.nanoTime() - t) / 1e9);
          }
        }
  }

  static void gemm() {
    int[][] shapes = {
      {128, 128, 784},
      {784, 128, 128},
      {128, 10, 128},
      {128, 128, 10},
      {512, 512, 512},
      {64, 64, 20},
      {512, 256, 784}
    };
    for (int[] s : shapes) {
      float[] x = new float[s[0] * s[2]], y = new float[s[2] * s[1]], z = new float[s[0] * s[1]];
      var g = new Gemm();
      double best = 0;
      for (int tr = 0; tr < 2; tr++) {
        best = 0;
        for (int rep = 0; rep < 30; rep++) {
          int it = (int) Math.max(1, 2e8 / (2.0 * s[0] * s[1] * s[2]));
          long t = System.nanoTime();
          for (int i = 0; i < it; i++)
            g.addProduct(
                tr == 0
                    ? Matrix.rowMajor(x, s[0], s[2])
                    : Matrix.rowMajor(x, s[2], s[0]).transposed(),
                Matrix.rowMajor(y, s[2], s[1]),
                Matrix.rowMajor(z, s[0], s[1]));
          best = Math.max(best, 2.0 * s[0] * s[1] * s[2] * it / (System.nanoTime() - t));
        }
        System.out.printf("%s a%s %.1f GFLOP/s%n", Arrays.toString(s), tr == 0 ? "" : "'", best);
      }
    }
  }
}
