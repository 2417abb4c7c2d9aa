package dev.espalier.tuner.rest;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.tuner.app.JobService;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/// What people may ask of a running job. The answer is 202: the job's session acts on it in turn.
///
/// `If-Match` with the job's `ETag` keeps a request from acting on a state that its sender has not
/// seen: its version is compared when the request's turn comes. That training has gone on since
/// does not matter.
@RestController
class ActionController {
  private static final String BRANCH = Lookups.JOB + "/branches/{branch:\\d{1,9}}";
  private static final String SNAPSHOT = Lookups.JOB + "/snapshots/{snapshot:\\d{1,9}}";

  private final JobService service;
  private final JobQueries queries;

  ActionController(JobService service, JobQueries queries) {
    this.service = service;
    this.queries = queries;
  }

  @PostMapping(path = Lookups.JOB + "/pause", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> pause(
      @PathVariable String job,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Pause());
  }

  @PostMapping(path = Lookups.JOB + "/resume", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> resume(
      @PathVariable String job,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Resume());
  }

  /// Finishes the clocks that are scheduled, writes a checkpoint, ends.
  @PostMapping(path = Lookups.JOB + "/cancel", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> cancel(
      @PathVariable String job,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Cancel());
  }

  /// Ends now.
  @PostMapping(path = Lookups.JOB + "/kill", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> kill(
      @PathVariable String job,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Kill());
  }

  /// Re-tunes now.
  @PostMapping(path = Lookups.JOB + "/rounds", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> retune(
      @PathVariable String job,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Retune());
  }

  /// Tries one setting beside the current one.
  @PostMapping(
      path = Lookups.JOB + "/branches",
      consumes = MediaType.APPLICATION_JSON_VALUE,
      produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> trySetting(
      @PathVariable String job,
      @RequestBody TryRequest request,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Try(setting(request)));
  }

  /// Ends the running round with a trial as its winner.
  @PostMapping(path = BRANCH + "/keep", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> keep(
      @PathVariable String job,
      @PathVariable int branch,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Keep(branch(job, branch)));
  }

  /// Gives a trial of the running round up.
  @PostMapping(path = BRANCH + "/discard", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> discard(
      @PathVariable String job,
      @PathVariable int branch,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Discard(branch(job, branch)));
  }

  /// Goes back to a snapshot; where training stands now becomes a snapshot first.
  @PostMapping(path = SNAPSHOT + "/restore", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> restore(
      @PathVariable String job,
      @PathVariable long snapshot,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Restore(ready(job, snapshot)));
  }

  /// Keeps a snapshot for good.
  @PostMapping(path = SNAPSHOT + "/pin", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> pin(
      @PathVariable String job,
      @PathVariable long snapshot,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Pin(ready(job, snapshot), true));
  }

  /// Lets a snapshot go with the others of its age.
  @PostMapping(path = SNAPSHOT + "/unpin", produces = MediaType.APPLICATION_JSON_VALUE)
  @ResponseStatus(HttpStatus.ACCEPTED)
  ResponseEntity<JobView> unpin(
      @PathVariable String job,
      @PathVariable long snapshot,
      @RequestHeader(name = HttpHeaders.IF_MATCH, required = false) @Nullable String match) {
    return ask(job, match, new UserRequest.Pin(ready(job, snapshot), false));
  }

  private BranchId branch(String job, int branch) {
    Lookups.job(queries, job);
    return queries
        .branch(job, branch)
        .map(known -> new BranchId(known.branch()))
        .orElseThrow(() -> Lookups.notFound("branch", "#" + branch + " in job " + job));
  }

  private long ready(String job, long snapshot) {
    Lookups.job(queries, job);
    SnapshotView known =
        queries
            .snapshot(job, snapshot)
            .orElseThrow(() -> Lookups.notFound("snapshot", snapshot + " in job " + job));
    if (known.state() != SnapshotState.READY) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE, "snapshot " + snapshot + " must be READY but is " + known.state());
    }
    return snapshot;
  }

  private ResponseEntity<JobView> ask(String job, @Nullable String match, UserRequest request) {
    Lookups.job(queries, job);
    Optional<LongPredicate> isExpected = Optional.ofNullable(match).map(ActionController::expected);
    service.request(job, request, Caller.current().actor(), isExpected);
    JobView after = Lookups.job(queries, job);
    return ResponseEntity.accepted().eTag(JobController.eTag(after)).body(after);
  }

  /// {@return which versions of a job a list of tags names}
  ///
  /// @throws EspalierException `INVALID_REQUEST` where one is no tag at all: it would never match
  private static LongPredicate expected(String match) {
    List<String> tags = Arrays.stream(match.split(",", -1)).map(String::strip).toList();
    for (String tag : tags) {
      if (!tag.matches("\\*|(W/)?\"[^\"]*\"")) {
        throw Lookups.invalid(
            HttpHeaders.IF_MATCH,
            "If-Match must be *, or the ETag of the job in quotes, but is " + match,
            match);
      }
    }
    return version ->
        tags.stream()
            .anyMatch(tag -> tag.equals("*") || tag.matches("\"" + version + "(-\\d+)?\""));
  }

  private static Setting setting(TryRequest request) {
    Map<String, @Nullable Double> given = request.setting();
    if (given == null || given.isEmpty()) {
      throw Lookups.invalid(
          "setting", "setting must name a value for at least one tunable but is empty", given);
    }
    var problems = new ArrayList<Problem>();
    var values = new TreeMap<String, Double>();
    given.forEach((name, value) -> {
      if (value == null || !Double.isFinite(value)) {
        problems.add(
            new Problem(
                "/setting" + Problem.pointer(name),
                name + " must be a finite number but is " + value,
                String.valueOf(value)));
      } else {
        values.put(name, value);
      }
    });
    if (!problems.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_SETTING, "the setting has problems", List.copyOf(problems));
    }
    return new Setting(values);
  }

  /// A setting to try.
  ///
  /// @param setting value by tunable
  record TryRequest(@Nullable Map<String, @Nullable Double> setting) {}
}
