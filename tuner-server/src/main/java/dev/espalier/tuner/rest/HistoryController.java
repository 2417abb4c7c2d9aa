package dev.espalier.tuner.rest;

import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.api.rest.RoundView;
import dev.espalier.api.rest.SeriesView;
import dev.espalier.tuner.app.port.JobQueries;
import java.util.ArrayList;
import java.util.List;
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
  private static final int TREE_PAGE = 1000;
  private static final int MAX_POINTS = 10_000;

  private final JobQueries queries;

  HistoryController(JobQueries queries) {
    this.queries = queries;
  }

  @GetMapping("/branches")
  PageView<BranchView> branches(
      @PathVariable String job,
      @RequestParam(required = false) @Nullable Integer round,
      @RequestParam(required = false) @Nullable String kind,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
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
  @GetMapping("/branches/{branch:\\d{1,9}}/metrics")
  SeriesView metrics(
      @PathVariable String job,
      @PathVariable int branch,
      @RequestParam(defaultValue = "500") int points) {
    Lookups.requireWithin("points", points, 1, MAX_POINTS);
    branch(job, branch);
    return queries.series(job, branch, points);
  }

  /// All branches at once, for who draws them.
  @GetMapping("/tree")
  TreeView tree(@PathVariable String job) {
    JobView view = Lookups.job(queries, job);
    return new TreeView(job, view.mainlineBranch(), allBranches(queries, job));
  }

  @GetMapping("/rounds")
  PageView<RoundView> rounds(@PathVariable String job) {
    Lookups.job(queries, job);
    return new PageView<>(queries.rounds(job), null);
  }

  @GetMapping("/decisions")
  PageView<DecisionView> decisions(
      @PathVariable String job,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    Lookups.job(queries, job);
    return queries.decisions(job, pageSize, pageToken);
  }

  @GetMapping("/evaluations")
  PageView<EvaluationView> evaluations(@PathVariable String job) {
    Lookups.job(queries, job);
    return new PageView<>(queries.evaluations(job), null);
  }

  static List<BranchView> allBranches(JobQueries queries, String job) {
    var all = new ArrayList<BranchView>();
    String token = null;
    do {
      PageView<BranchView> page = queries.branches(job, null, null, TREE_PAGE, token);
      all.addAll(page.items());
      token = page.nextPageToken();
    } while (token != null);
    return all;
  }

  /// The branches of a job with their parents.
  record TreeView(String job, int mainlineBranch, List<BranchView> branches) {}
}
