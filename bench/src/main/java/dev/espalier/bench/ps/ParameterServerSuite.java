package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Rounds;
import dev.espalier.bench.frame.Suite;
import dev.espalier.bench.net.FactorRates;
import dev.espalier.bench.net.FilterRates;
import dev.espalier.bench.net.MessageRates;
import dev.espalier.bench.net.StragglerRates;
import dev.espalier.bench.programs.CoreDistance;
import dev.espalier.bench.programs.FactorAblation;
import dev.espalier.bench.programs.FactorizationRates;
import dev.espalier.bench.programs.LogisticRates;
import dev.espalier.ps.optim.UpdateRule;
import java.util.List;
import java.util.Optional;

/// `espalier bench ps`: the parameter server's figures in `docs/PERFORMANCE.md`.
public final class ParameterServerSuite {
  private ParameterServerSuite() {}

  /// {@return the suite}
  public static Suite suite() {
    return new Suite(
        "ps",
        "the parameter server beside the machine's limits, for docs/PERFORMANCE.md",
        ParameterServerSuite::parts);
  }

  private static List<Suite.Part> parts(boolean isQuick) {
    return List.of(
        kernels(isQuick),
        branches(isQuick),
        plans(isQuick),
        checkpoints(isQuick),
        programs(isQuick),
        network(isQuick));
  }

  private static Suite.Part kernels(boolean isQuick) {
    return new Suite.Part(
        "kernels",
        List.of(
            isQuick
                ? new KernelBandwidth(16, new Rounds(2, 3))
                : new KernelBandwidth(64, new Rounds(2, 7))));
  }

  private static Suite.Part branches(boolean isQuick) {
    return new Suite.Part(
        "branches",
        isQuick
            ? List.of(
                new ForkCost(128, 5),
                new FirstClocks(64, 5, UpdateRule.names()),
                new DenseClocks(16, new Rounds(2, 5)),
                new RowsApart(new Rounds(20, 5)),
                new BranchMemory(200, 64, 500))
            : List.of(
                new ForkCost(1024, 21),
                new FirstClocks(256, 21, UpdateRule.names()),
                new DenseClocks(64, new Rounds(5, 21)),
                new RowsApart(new Rounds(40, 21)),
                new BranchMemory(10_000, 64, 100_000)));
  }

  private static Suite.Part plans(boolean isQuick) {
    int scale = isQuick ? 10 : 1;
    // Requests over sockets take their time: fewer accesses say as much.
    int small = 40;
    Optional<Double> pageRank = Optional.of(45.0);
    Optional<Double> factorization = Optional.of(5.0);
    return new Suite.Part(
        "plans",
        List.of(
            plans(RowSweep.pageRank(40_000 / scale, 400_000 / scale), 1, isQuick, pageRank),
            plans(
                RowSweep.factorization(6_000 / scale, 3_700, 100_000 / scale, 32),
                1,
                isQuick,
                factorization),
            plans(RowSweep.topics(7_000, 100_000 / scale, 50), 1, isQuick, Optional.empty()),
            plans(RowSweep.pageRank(80_000 / small, 1_000_000 / small), 2, isQuick, pageRank),
            plans(
                RowSweep.factorization(6_000 / small, 370, 200_000 / small, 32),
                2,
                isQuick,
                factorization),
            plans(RowSweep.topics(700, 200_000 / small, 50), 2, isQuick, Optional.empty())));
  }

  private static PlanAblation plans(
      RowSweep sweep, int workers, boolean isQuick, Optional<Double> goal) {
    return isQuick
        ? new PlanAblation(new AccessRates(sweep, workers, 3, 300_000_000), 1, goal)
        : new PlanAblation(new AccessRates(sweep, workers, 9, 2_000_000_000), 3, goal);
  }

  private static Suite.Part checkpoints(boolean isQuick) {
    return new Suite.Part(
        "checkpoints", List.of(isQuick ? new CheckpointCost(64, 3) : new CheckpointCost(512, 7)));
  }

  private static Suite.Part programs(boolean isQuick) {
    int passes = isQuick ? 3 : 9;
    return new Suite.Part(
        "programs",
        List.of(
            new CoreDistance(new Rounds(2, passes)),
            new FactorizationRates(passes),
            new FactorAblation(32, new Rounds(2, passes)),
            new FactorAblation(128, new Rounds(2, passes)),
            new LogisticRates(isQuick ? 20_000 : 100_000, passes)));
  }

  private static Suite.Part network(boolean isQuick) {
    return new Suite.Part(
        "network",
        List.of(
            new MessageRates(isQuick ? new Rounds(1, 1) : new Rounds(16, 9)),
            new StragglerRates(isQuick ? 20 : 200),
            new FactorRates(isQuick ? new Rounds(1, 1) : new Rounds(3, 9)),
            new FilterRates(isQuick ? 60 : 600)));
  }
}
