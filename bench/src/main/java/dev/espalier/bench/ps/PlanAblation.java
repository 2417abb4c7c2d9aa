package dev.espalier.bench.ps;

import dev.espalier.bench.frame.Benchmark;
import dev.espalier.bench.frame.Goal;
import dev.espalier.bench.frame.Measurement;
import dev.espalier.bench.frame.Rate;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What each optimisation of an access plan is worth: all of them, each switched off in turn, none,
/// and a key-value store that is told nothing. In one process also the program on plain arrays:
/// what no plan can be faster than.
///
/// @param rates measures a way
/// @param rounds each way is measured once a round; the median counts
/// @param goal how often the key-value way should fit in, if anything was set
record PlanAblation(AccessRates rates, int rounds, Optional<Double> goal) implements Benchmark {

  @Override
  public String title() {
    return "access plans, " + rates.sweep().name() + ", " + where();
  }

  private String where() {
    return rates.workers() == 1 ? "1 worker" : rates.workers() + " workers over sockets";
  }

  @Override
  public List<Measurement> measure() throws InterruptedException, IOException {
    List<AccessWay> ways =
        Arrays.stream(AccessWay.values()).filter(way -> way.isFor(rates.workers())).toList();
    Map<AccessWay, double[]> measured = new EnumMap<>(AccessWay.class);
    for (int round = 0; round < rounds; round++) {
      for (AccessWay way : ways) {
        measured.computeIfAbsent(way, _ -> new double[rounds])[round] = rates.measuredApart(way);
      }
    }
    var measurements = new ArrayList<Measurement>();
    for (AccessWay way : ways) {
      if (way != AccessWay.KEY_VALUE) {
        measurements.add(measurement(way, measured));
      }
    }
    if (rates.workers() > 1) {
      RowUses uses = RowUses.of(rates.sweep(), rates.workers());
      measurements.add(
          new Measurement(
              "%s, %s: rows of other shards".formatted(rates.sweep().name(), where()),
              uses.travellingByRange(),
              "rows/clock",
              "each row where it is used most",
              uses.travellingByUse()));
    }
    return measurements;
  }

  private Measurement measurement(AccessWay way, Map<AccessWay, double[]> measured) {
    AccessWay beside =
        way == AccessWay.ALL || way == AccessWay.ARRAYS ? AccessWay.KEY_VALUE : AccessWay.ALL;
    var measurement =
        new Measurement(
            "%s, %s: %s".formatted(rates.sweep().name(), where(), way.title()),
            millions(measured, way),
            "M accesses/s",
            beside.title(),
            millions(measured, beside));
    return way == AccessWay.ALL
        ? goal.map(factor -> measurement.withGoal(Goal.ratioAtLeast(factor))).orElse(measurement)
        : measurement;
  }

  private static double millions(Map<AccessWay, double[]> measured, AccessWay way) {
    return Rate.median(Arrays.stream(measured.getOrDefault(way, new double[0]))) / 1e6;
  }
}
