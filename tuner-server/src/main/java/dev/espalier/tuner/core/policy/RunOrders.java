package dev.espalier.tuner.core.policy;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.population.Order;
import dev.espalier.tuner.core.population.Order.Step;
import dev.espalier.tuner.core.population.Planner;
import dev.espalier.tuner.core.population.Planners;
import dev.espalier.tuner.core.population.Run;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a population trains next: what its planner orders, unless a person wants something else.
final class RunOrders {
  private final JobPlan plan;
  private final Planner planner;
  private Optional<Wish> wish = Optional.empty();
  private Optional<Choice> choice = Optional.empty();

  /// A setting that a person wants to be tried.
  private record Wish(Setting setting, String actor) {}

  /// The run that a person wants to be trained on, and no other.
  private record Choice(PopulationRun run, String actor) {}

  RunOrders(JobPlan plan) {
    this.plan = plan;
    this.planner = Planners.of(plan.policy(), plan.space(), plan.runs(), plan.seed());
  }

  /// {@return what is trained next}
  ///
  /// @param runs all there are, in the order of their numbers
  Order next(List<PopulationRun> runs) {
    Optional<Choice> chosen = choice.filter(wanted -> !wanted.run().hasDiverged());
    if (chosen.isPresent()) {
      return toItsEnd(chosen.get());
    }
    Order planned = planner.next(runs.stream().map(PopulationRun::view).toList());
    return wish.map(asked -> withWish(planned, asked)).orElse(planned);
  }

  private Order toItsEnd(Choice chosen) {
    PopulationRun run = chosen.run();
    boolean isThere = run.knownEpochs() >= plan.runs().maxEpochs() - Run.ROUNDING;
    return new Order(
        isThere ? new Step.Done() : new Step.Continue(run.number(), plan.runs().maxEpochs()),
        isThere ? List.of(run.number()) : List.of(),
        "request.keep",
        chosen.actor()
            + " chose run "
            + run.number()
            + (isThere ? ", which has trained its epochs" : ""),
        Map.of("epoch", run.knownEpochs()));
  }

  /// What was asked for takes the place of what would have been drawn; when nothing is drawn any
  /// more it is one run more, over the whole length.
  private Order withWish(Order planned, Wish asked) {
    Optional<Step> step =
        switch (planned.step()) {
          case Step.Start(Setting drawn, double until) ->
              Optional.of(new Step.Start(drawn.with(asked.setting()), until));
          case Step.Copy(int source, int replaced, Setting explored, double until) ->
              Optional.of(new Step.Copy(source, replaced, explored.with(asked.setting()), until));
          case Step.Done _ ->
              Optional.of(
                  new Step.Start(
                      plan.space().defaults().with(asked.setting()), plan.runs().maxEpochs()));
          case Step.Continue _ -> Optional.empty();
        };
    return step.map(taken ->
            new Order(
                taken,
                planned.retired(),
                "request.try",
                asked.actor() + " asked for its setting",
                planned.evidence()))
        .orElse(planned);
  }

  /// A run has begun: it took the setting that a person wanted, if there was one.
  void runBegan() {
    wish = Optional.empty();
  }

  /// Lets the next run that begins take a setting.
  ///
  /// @return why it does not; empty when it will
  Optional<String> want(Setting setting, String actor) {
    if (choice.isPresent()) {
      return Optional.of("no other run begins since " + choice.get().actor() + " chose one");
    }
    if (wish.isPresent()) {
      return Optional.of("another setting is to be tried first");
    }
    wish = Optional.of(new Wish(setting, actor));
    return Optional.empty();
  }

  /// Trains a run on to its end, and no other.
  void choose(PopulationRun run, String actor) {
    choice = Optional.of(new Choice(run, actor));
    wish = Optional.empty();
  }

  /// A run is not to be trained on.
  void giveUp(PopulationRun run) {
    choice = choice.filter(chosen -> !chosen.run().equals(run));
  }
}
