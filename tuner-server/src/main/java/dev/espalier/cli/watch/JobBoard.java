package dev.espalier.cli.watch;

import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// All that is known of a job that is followed.
///
/// Confined to the thread that follows.
public final class JobBoard {
  private static final int MAX_LOSSES = 2000;

  private final String jobPath;
  private JobView job;
  private Optional<JobView.Stall> stall;
  private StopBounds bounds = StopBounds.NONE;
  private final TreeMap<Integer, BranchView> branches = new TreeMap<>();
  private final TreeMap<Integer, RoundView> rounds = new TreeMap<>();
  private final TreeMap<Long, DecisionView> decisions = new TreeMap<>();
  private final Map<Made, EvaluationView> evaluations = new HashMap<>();
  private final TreeMap<Long, Double> losses = new TreeMap<>();
  private final TreeMap<Integer, String> stalls = new TreeMap<>();
  private List<ScheduleView.Step> schedule = List.of();
  private Optional<ScheduleView.Result> result = Optional.empty();

  public JobBoard(JobView job) {
    this.job = job;
    this.stall = Optional.ofNullable(job.stall());
    this.jobPath = "/jobs/" + TunerClient.segment(job.id());
  }

  /// Reads everything from the server.
  public void refresh(TunerClient client) {
    update(client.job(job.id()));
    bounds = StopBounds.of(client.get(jobPath + "/config"));
    client
        .all(jobPath + "/branches?pageSize=1000", BranchView.class)
        .forEach(branch -> branches.put(branch.branch(), branch));
    client.items(jobPath + "/workers").forEach(worker -> apply("worker.stalled", worker));
    client
        .all(jobPath + "/rounds?pageSize=1000", RoundView.class)
        .forEach(round -> rounds.put(round.round(), round));
    client
        .all(jobPath + "/decisions?pageSize=1000", DecisionView.class)
        .forEach(decision -> decisions.put(decision.sequence(), decision));
    client.all(jobPath + "/evaluations?pageSize=1000", EvaluationView.class).forEach(this::put);
    ScheduleView found = client.get(jobPath + "/schedule", ScheduleView.class);
    schedule = found.steps();
    result = Optional.ofNullable(found.result());
  }

  /// Takes an event of the stream in; types that are not known change nothing.
  public void apply(String type, JsonNode data) {
    switch (type) {
      case "job.changed" -> move(Json.as(data, JobView.class));
      case "job.stalled" ->
          stall =
              data.has("stall")
                  ? Optional.of(Json.as(data.path("stall"), JobView.Stall.class))
                  : Optional.empty();
      case "branch.changed" -> {
        BranchView branch = Json.as(data, BranchView.class);
        branches.put(branch.branch(), branch);
      }
      case "round.changed" -> {
        RoundView round = Json.as(data, RoundView.class);
        rounds.put(round.round(), round);
      }
      case "decision.made" -> {
        DecisionView decision = Json.as(data, DecisionView.class);
        decisions.put(decision.sequence(), decision);
      }
      case "worker.stalled" -> {
        int worker = data.path("worker").asInt();
        if (data.path("stall").asString("").isEmpty()) {
          stalls.remove(worker);
        } else {
          stalls.put(worker, data.path("stall").asString());
        }
      }
      case "evaluation.made" -> {
        put(Json.as(data, EvaluationView.class));
      }
      case "schedule.changed" -> addStep(Json.as(data, ScheduleView.Step.class));
      case "result.changed" ->
          result =
              Optional.of(
                  Json.as(data, ScheduleView.ResultChange.class)
                      .after(result.map(ScheduleView.Result::steps).orElse(List.of())));
      case "snapshot" -> {
        update(Json.as(data.path("job"), JobView.class));
        data.path("branches").forEach(branch -> apply("branch.changed", branch));
        data.path("rounds").forEach(round -> apply("round.changed", round));
        data.path("decisions").forEach(decision -> apply("decision.made", decision));
        data.path("evaluations").forEach(evaluation -> apply("evaluation.made", evaluation));
        ScheduleView known = Json.as(data.path("schedule"), ScheduleView.class);
        schedule = known.steps();
        result = Optional.ofNullable(known.result());
      }
      default -> {
        // A newer server may tell more.
      }
    }
  }

  /// What runs of a population came to beside the best is shown with their branches.
  private void put(EvaluationView evaluation) {
    if (evaluation.leads()) {
      evaluations.put(
          new Made(evaluation.start(), evaluation.mainlineClock(), evaluation.atSeconds()),
          evaluation);
    }
  }

  private void addStep(ScheduleView.Step step) {
    var steps = new ArrayList<>(schedule);
    steps.removeIf(other -> other.fromClock() >= step.fromClock());
    steps.add(step);
    schedule = List.copyOf(steps);
  }

  /// Takes in what the server says when it is asked.
  ///
  /// @return whether that is news
  public boolean update(JobView view) {
    boolean isNews = !Optional.ofNullable(view.stall()).equals(stall);
    stall = Optional.ofNullable(view.stall());
    return move(view) || isNews;
  }

  /// Takes in a view that may be of an event, which knows of no stall.
  private boolean move(JobView view) {
    boolean isNews = !view.equals(job);
    if (view.version() >= job.version()) {
      if (view.generation() != job.generation() || view.state().isTerminal()) {
        stalls.clear();
      }
      job = view;
    }
    Double loss = view.loss();
    if (loss != null) {
      // A round that starts again from an earlier point makes the clock go back.
      losses.tailMap(view.mainlineClock(), false).clear();
      losses.put(view.mainlineClock(), loss);
      while (losses.size() > MAX_LOSSES) {
        losses.pollFirstEntry();
      }
    }
    return isNews;
  }

  public JobView job() {
    return job;
  }

  /// {@return since when and why the job stands still; empty while all is well}
  public Optional<JobView.Stall> stall() {
    return stall;
  }

  /// {@return what workers have been at for far too long, a sentence each, by their numbers}
  SortedMap<Integer, String> stalls() {
    var sentences = new TreeMap<Integer, String>();
    stalls.forEach(
        (worker, stall) -> sentences.put(worker, "worker " + worker + " stalls: " + stall));
    return sentences;
  }

  public StopBounds bounds() {
    return bounds;
  }

  /// {@return losses of the mainline, oldest first}
  public List<Double> losses() {
    return List.copyOf(losses.values());
  }

  public Map<Integer, BranchView> branches() {
    return Collections.unmodifiableMap(branches);
  }

  public Map<Integer, RoundView> rounds() {
    return Collections.unmodifiableMap(rounds);
  }

  public Optional<RoundView> latestRound() {
    return Optional.ofNullable(rounds.lastEntry()).map(Map.Entry::getValue);
  }

  public List<BranchView> branchesOf(int round) {
    return branches.values().stream().filter(branch -> branch.round() == round).toList();
  }

  public List<DecisionView> decisions() {
    return List.copyOf(decisions.values());
  }

  /// {@return the last `count` decisions, oldest first}
  public List<DecisionView> lastDecisions(int count) {
    var last = new ArrayList<>(decisions.descendingMap().values().stream().limit(count).toList());
    Collections.reverse(last);
    return last;
  }

  /// {@return validation results of the mainline, or of a population those that were the best so
  /// far, in the order in which they were made}
  public List<EvaluationView> evaluations() {
    return evaluations.values().stream()
        .sorted(Comparator.comparingDouble(EvaluationView::atSeconds))
        .toList();
  }

  public List<ScheduleView.Step> schedule() {
    return schedule;
  }

  /// {@return which model is the job's result; empty where there is none yet}
  public Optional<ScheduleView.Result> result() {
    return result;
  }

  /// {@return the evaluation of the model that is the job's result; empty where there is none yet}
  public Optional<EvaluationView> resultEvaluation() {
    return Optional.ofNullable(job.result())
        .flatMap(known ->
            evaluations.values().stream()
                .filter(one -> one.start() == known.start())
                .filter(one -> one.mainlineClock() == known.clock())
                .max(
                    Comparator.<EvaluationView, Boolean>comparing(
                            one -> one.metrics().containsValue(known.value()))
                        .thenComparing(EvaluationView::atSeconds)));
  }

  /// When an evaluation was made: a mainline that went back may come to a clock again.
  private record Made(int start, long clock, double atSeconds) {}
}
