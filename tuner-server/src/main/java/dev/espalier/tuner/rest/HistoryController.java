package dev.espalier.tuner.rest;

import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.MainlineView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.api.rest.WorkerView;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobQueries.DecisionFilter;
import dev.espalier.tuner.app.port.WorkerGateway;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/// What happened in a job so far: branches, rounds, decisions, evaluations, losses.
@RestController
@RequestMapping(path = Lookups.JOB, produces = MediaType.APPLICATION_JSON_VALUE)
class HistoryController {
  private static final int MOST_BRANCHES = 2000;
  private static final int MAX_POINTS = 2000;
  private static final int MAX_SHORT_POINTS = 100;
  private static final int MAX_SHORT_SERIES = 500;
  private static final int RECENT_DECISIONS = 200;
  private static final int RECENT_ROUNDS = 500;
  private static final int RECENT_EVALUATIONS = 1000;
  private static final int RECENT_SNAPSHOTS = 200;

  private final JobQueries queries;
  private final WorkerGateway workers;

  HistoryController(JobQueries queries, WorkerGateway workers) {
    this.queries = queries;
    this.workers = workers;
  }

  @GetMapping("/branches")
  PageView<BranchView> branches(
      @PathVariable String job,
      @RequestParam(required = false) @Nullable Integer round,
      @RequestParam(required = false) @Nullable String kind,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.requireRound(round);
    Lookups.job(queries, job);
    return queries.branches(job, round, kind, pageSize, pageToken);
  }

  @GetMapping("/branches/{branch:\\d{1,9}}")
  BranchView branch(@PathVariable String job, @PathVariable int branch) {
    Lookups.job(queries, job);
    return queries
        .branch(job, branch)
        .orElseThrow(() -> Lookups.notFound("branch", "#" + branch + " in job " + job));
  }

  /// The training loss of a branch in at most `points` buckets.
  ///
  /// @param from own clock of the branch, inclusive
  /// @param to exclusive; the end when absent
  @GetMapping("/branches/{branch:\\d{1,9}}/metrics")
  SeriesView metrics(
      @PathVariable String job,
      @PathVariable int branch,
      @RequestParam(defaultValue = "500") int points,
      @RequestParam(defaultValue = "0") long from,
      @RequestParam(required = false) @Nullable Long to) {
    requireSpan(points, from, to);
    branch(job, branch);
    return queries.series(job, branch, from, end(to), points);
  }

  /// The mainline's training loss over its whole course, in about `points` buckets.
  ///
  /// @param from mainline clock, inclusive
  /// @param to exclusive; the end when absent
  @GetMapping("/mainline")
  MainlineView mainline(
      @PathVariable String job,
      @RequestParam(defaultValue = "500") int points,
      @RequestParam(defaultValue = "0") long from,
      @RequestParam(required = false) @Nullable Long to) {
    requireSpan(points, from, to);
    Lookups.job(queries, job);
    return queries.mainline(job, from, end(to), points);
  }

  /// The training losses of several short branches at once.
  @GetMapping("/series")
  PageView<SeriesView> series(
      @PathVariable String job,
      @RequestParam List<Integer> branches,
      @RequestParam(defaultValue = "32") int points) {
    Lookups.requireWithin("points", points, 1, MAX_SHORT_POINTS);
    Lookups.requireWithin("branches", branches.size(), 1, MAX_SHORT_SERIES);
    Lookups.job(queries, job);
    return new PageView<>(queries.series(job, branches, points), null);
  }

  private static void requireSpan(int points, long from, @Nullable Long to) {
    Lookups.requireWithin("points", points, 1, MAX_POINTS);
    Lookups.requireWithin("from", from, 0, Long.MAX_VALUE);
    Lookups.requireWithin("to", end(to), from, Long.MAX_VALUE);
  }

  private static long end(@Nullable Long to) {
    return to == null ? Long.MAX_VALUE : to;
  }

  /// Everything that a page draws first, read at one go.
  @GetMapping("/overview")
  Overview overview(@PathVariable String job, @RequestParam(defaultValue = "500") int points) {
    Lookups.requireWithin("points", points, 1, MAX_POINTS);
    // Read before the views: events after it may be told twice, none is left out.
    long sequence = queries.streamSequence(job);
    return new Overview(
        sequence, snapshot(queries, job), queries.mainline(job, 0, Long.MAX_VALUE, points));
  }

  /// The branches for who draws them: all, or of many those that matter most.
  @GetMapping("/tree")
  TreeView tree(@PathVariable String job) {
    JobView view = Lookups.job(queries, job);
    List<BranchView> branches = queries.mainBranches(job, MOST_BRANCHES);
    return new TreeView(job, view.mainlineBranch(), branches, leftOut(view, branches));
  }

  /// {@return children that are not shown, by the branch that they were forked from}
  private Map<Integer, Long> leftOut(JobView job, List<BranchView> shown) {
    if (shown.size() >= job.branches()) {
      return Map.of();
    }
    Map<Integer, Long> left =
        queries.childCounts(job.id(), shown.stream().map(BranchView::branch).toList());
    for (BranchView branch : shown) {
      Integer parent = branch.parent();
      if (parent != null) {
        left.computeIfPresent(parent, (_, count) -> count > 1 ? count - 1 : null);
      }
    }
    return left;
  }

  /// Rounds, oldest first.
  @GetMapping("/rounds")
  PageView<RoundView> rounds(
      @PathVariable String job,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.job(queries, job);
    return queries.rounds(job, pageSize, pageToken);
  }

  /// Decisions, oldest first unless `newest` is set.
  ///
  /// @param round only those of this round
  /// @param people only what people asked for
  @GetMapping("/decisions")
  PageView<DecisionView> decisions(
      @PathVariable String job,
      @RequestParam(required = false) @Nullable Integer round,
      @RequestParam(defaultValue = "false") boolean people,
      @RequestParam(defaultValue = "false") boolean newest,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.requireRound(round);
    Lookups.job(queries, job);
    return queries.decisions(job, new DecisionFilter(round, people, newest), pageSize, pageToken);
  }

  /// Validation results of the mainline, or of all runs of a population, oldest first.
  @GetMapping("/evaluations")
  PageView<EvaluationView> evaluations(
      @PathVariable String job,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.job(queries, job);
    return queries.evaluations(job, pageSize, pageToken);
  }

  /// Durable snapshots, oldest first; those that were dropped are among them.
  @GetMapping("/snapshots")
  PageView<SnapshotView> snapshots(
      @PathVariable String job,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.job(queries, job);
    return queries.snapshots(job, pageSize, pageToken);
  }

  /// The workers of a job's current generation.
  @GetMapping("/workers")
  PageView<WorkerView> workers(@PathVariable String job) {
    Lookups.job(queries, job);
    return new PageView<>(workers.workers(job), null);
  }

  /// {@return the views of a job: of what it has many the latest, and the branches that matter
  /// most}
  static Snapshot snapshot(JobQueries queries, String job) {
    var latest =
        queries.decisions(job, new DecisionFilter(null, false, true), RECENT_DECISIONS, null);
    JobView view = Lookups.job(queries, job);
    List<BranchView> branches = queries.mainBranches(job, MOST_BRANCHES);
    var rounds = queries.latestRounds(job, RECENT_ROUNDS);
    var evaluations = queries.latestEvaluations(job, RECENT_EVALUATIONS);
    var snapshots = queries.latestSnapshots(job, RECENT_SNAPSHOTS);
    return new Snapshot(
        view,
        branches,
        Math.max(0, view.branches() - branches.size()),
        rounds.items(),
        rounds.leftOut(),
        queries.schedule(job),
        evaluations.items(),
        evaluations.leftOut(),
        latest.items().reversed(),
        latest.nextPageToken() != null,
        snapshots.items(),
        snapshots.leftOut());
  }

  /// The views of a job.
  ///
  /// @param branches all, or of many those that matter most
  /// @param branchesLeftOut how many there are besides
  /// @param rounds the latest, in order
  /// @param roundsLeftOut how many there are before
  /// @param evaluations the latest, in order
  /// @param evaluationsLeftOut how many there are before
  /// @param decisions the latest, in order
  /// @param moreDecisions whether there are earlier ones
  /// @param snapshots the latest, and all that are on the disk or on their way
  /// @param snapshotsLeftOut how many there are besides
  record Snapshot(
      JobView job,
      List<BranchView> branches,
      int branchesLeftOut,
      List<RoundView> rounds,
      long roundsLeftOut,
      ScheduleView schedule,
      List<EvaluationView> evaluations,
      long evaluationsLeftOut,
      List<DecisionView> decisions,
      boolean moreDecisions,
      List<SnapshotView> snapshots,
      long snapshotsLeftOut) {}

  /// What a page draws first.
  ///
  /// @param sequence to follow the stream from, as `after`
  record Overview(long sequence, Snapshot views, MainlineView mainline) {}

  /// The branches of a job with their parents.
  ///
  /// @param leftOut how many children of a branch are not among them, by its number; only where
  ///   some are not
  record TreeView(
      String job, int mainlineBranch, List<BranchView> branches, Map<Integer, Long> leftOut) {}
}
