package dev.espalier.ps.example;

import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.ParameterServerConfig;
import dev.espalier.ps.WorkerSession;
import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.table.TableSpec;
import java.util.List;

/// Fits `y = 3 x + 1` on two branches with different learning rates: the library from a plain main.
public final class FitLine {
  private FitLine() {}

  /// Prints the loss of each branch.
  public static void main(String[] args) {
    TableSpec line = TableSpec.dense("slope and intercept", 2, 1, "sgd");
    try (ParameterServer server =
            ParameterServer.open(ParameterServerConfig.of(1, 0, 1 << 20), List.of(line));
        WorkerSession session = server.session()) {
      session.create(new BranchRef(0));
      double[] learningRates = {0.001, 0.1};
      for (int trial = 1; trial <= learningRates.length; trial++) {
        session.fork(new BranchRef(trial), new BranchRef(0));
        StepSize stepSize = StepSize.of(learningRates[trial - 1]);
        session.select(new BranchRef(trial), Staleness.bulkSynchronous(), stepSize);
        double loss = 0;
        for (int clock = 0; clock < 200; clock++) {
          loss = runClock(session);
        }
        System.out.printf("%s: loss %.6f%n", stepSize, loss);
      }
    }
  }

  private static double runClock(WorkerSession session) {
    float[] weights = new float[2];
    session.read(0, 0, 2, weights, 0);
    float[] gradient = new float[2];
    double loss = 0;
    for (float x = -1; x <= 1; x += 0.25f) {
      float error = weights[0] * x + weights[1] - (3 * x + 1);
      loss += 0.5 * error * error;
      gradient[0] += error * x;
      gradient[1] += error;
    }
    session.add(0, 0, 2, gradient, 0);
    session.tick(9);
    return loss;
  }
}
