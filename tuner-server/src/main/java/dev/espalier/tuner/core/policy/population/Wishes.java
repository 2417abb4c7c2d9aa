package dev.espalier.tuner.core.policy.population;

import dev.espalier.api.model.Setting;
import dev.espalier.tuner.core.population.Order;
import dev.espalier.tuner.core.population.Order.Step;
import dev.espalier.tuner.core.population.Run;
import dev.espalier.tuner.core.session.JobPlan;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/// What people want of a population: a setting, which the next run takes that begins, or one run
/// that alone is trained on to its end.
final class Wishes {
  private final JobPlan plan;
  private Optional<Wish> wish = Optional.empty();
  private Optional<Choice> choice = Optional.empty();

  /// A setting that a person wants to be tried.
  private record Wish(Setting setting, String actor) {}

  /// The run that a person wants to be trained on, and no other.
  private record Choice(PopulationRun run, String actor) {}

  Wishes(JobPlan plan) {
    this.plan = plan;
  }

  /// {@return why no other setting can be wished for now; empty when one can}
  Optional<String> reasonNotToTry() {
    return choice
        .map(chosen -> "no other run begins since " + chosen.actor() + " chose one")
        .or(() -> wish.map(_ -> "another setting is to be tried first"));
  }

  void wantToTry(Setting setting, String actor) {
    wish = Optional.of(new Wish(setting, actor));
  }

  /// A run began: it took the setting that was wished for.
  void runBegan() {
    wish = Optional.empty();
  }

  /// Wants a run to be trained on alone; no other setting is tried.
  void choose(PopulationRun run, String actor) {
    choice = Optional.of(new Choice(run, actor));
    wish = Optional.empty();
  }

  /// A run that was given up is no more to be trained on.
  void giveUp(PopulationRun run) {
    choice = choice.filter(chosen -> !chosen.run().equals(run));
  }

  /// {@return what is trained next: what people want, else what is planned}
  ///
  /// @param planner asked unless a run was chosen
  Order order(Supplier<Order> planner) {
    Optional<Choice> chosen = choice.filter(wanted -> !wanted.run().hasDiverged());
    if (chosen.isPresent()) {
      return toItsEnd(chosen.get());
    }
    Order planned = planner.get();
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
            + " chose "
            + run.inWords()
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
}
