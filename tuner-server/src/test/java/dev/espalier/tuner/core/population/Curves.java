package dev.espalier.tuner.core.population;

import dev.espalier.api.model.SearchSpace;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/// Carries out a planner's orders on scores that are known beforehand.
final class Curves {
  static final SearchSpace SPACE =
      new SearchSpace(List.of(new Tunable.LinearRange("x", 0, 1, 0.5)));

  private final Planner planner;
  private final ToDoubleBiFunction<Run, Double> score;
  private final Map<Integer, Run> runs = new HashMap<>();
  private final List<Order> orders = new ArrayList<>();
  private double clocksPerEpoch = Double.NaN;

  /// @param score of a run at a number of epochs; NaN when it diverges on the way there
  Curves(Planner planner, ToDoubleBiFunction<Run, Double> score) {
    this.planner = planner;
    this.score = score;
  }

  static JobPlan.Runs options(int maxRuns, double maxEpochs, double minEpochs) {
    return new JobPlan.Runs(
        maxRuns, maxEpochs, minEpochs, 3, 3, 3, 5, 1, 0.2, 0.25, 1.2, false, false);
  }

  /// Lets runs train whole clocks, so that they end a little beyond what was ordered.
  Curves inClocks(double perEpoch) {
    clocksPerEpoch = perEpoch;
    return this;
  }

  List<Run> runs() {
    return java.util.stream.IntStream.rangeClosed(1, runs.size()).mapToObj(runs::get).toList();
  }

  List<Order> orders() {
    return orders;
  }

  /// Runs to the end, or for so many orders.
  Curves run(int maxOrders) {
    while (orders.size() < maxOrders) {
      Order order = planner.next(runs());
      orders.add(order);
      switch (order.step()) {
        case Order.Step.Start(Setting setting, double until) -> {
          int number = runs.size() + 1;
          train(new Run(number, number, setting, 0, List.of(), false), until);
        }
        case Order.Step.Copy(int source, int replaced, Setting setting, double until) ->
            train(
                new Run(
                    runs.size() + 1,
                    runs.get(replaced).member(),
                    setting,
                    runs.get(source).epochs(),
                    List.of(),
                    false),
                until);
        case Order.Step.Continue(int number, double until) -> train(runs.get(number), until);
        case Order.Step.Done _ -> {
          return this;
        }
      }
    }
    return this;
  }

  private void train(Run run, double until) {
    double value = score.applyAsDouble(run, until);
    var results = new ArrayList<>(run.results());
    if (!Double.isNaN(value)) {
      double epochs =
          Double.isNaN(clocksPerEpoch)
              ? until
              : Math.ceil(until * clocksPerEpoch - Run.ROUNDING) / clocksPerEpoch;
      results.add(new Run.Result(epochs, value));
    }
    runs.put(
        run.number(),
        new Run(
            run.number(),
            run.member(),
            run.setting(),
            run.startEpochs(),
            results,
            Double.isNaN(value)));
  }
}
