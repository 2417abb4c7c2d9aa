package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.JobState;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import dev.espalier.api.rest.JobSpecSchema;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.tuner.app.JobForecast;
import dev.espalier.tuner.app.JobService;
import dev.espalier.tuner.app.port.DataFolders;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobTryout;
import dev.espalier.tuner.app.port.ProgramRegistry;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestAttribute;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/// Jobs: submit, list, look at.
@RestController
class JobController {
  private static final int MAX_NAME_LENGTH = 200;
  private static final String DATA = "/data";

  private final JobService service;
  private final JobQueries queries;
  private final ProgramRegistry programs;
  private final DataFolders dataFolders;
  private final JobTryout tryout;
  private final DocumentReader documents = new DocumentReader();

  JobController(
      JobService service,
      JobQueries queries,
      ProgramRegistry programs,
      DataFolders dataFolders,
      JobTryout tryout) {
    this.service = service;
    this.queries = queries;
    this.programs = programs;
    this.dataFolders = dataFolders;
    this.tryout = tryout;
  }

  /// Takes a job file in; with `dryRun` only says what it came to.
  ///
  /// @param tryOut with `dryRun`, which warns of keys without effect: also has a worker open
  ///   program and data, which may take 20 s, and warns where it cannot
  @ApiResponse(
      responseCode = "201",
      description = "the job",
      content = @Content(schema = @Schema(implementation = JobView.class)))
  @ApiResponse(
      responseCode = "200",
      description = "with `dryRun`: the job file with every default",
      content = @Content(schema = @Schema(implementation = CheckedJob.class)))
  @PostMapping(
      path = "/api/v1/jobs",
      consumes = {
        MediaType.APPLICATION_JSON_VALUE,
        DocumentReader.YAML,
        DocumentReader.X_YAML,
        DocumentReader.TEXT_YAML
      },
      produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<Object> submit(
      @RequestBody byte[] body,
      @RequestHeader(HttpHeaders.CONTENT_TYPE) MediaType type,
      @RequestParam(defaultValue = "false") boolean dryRun,
      @RequestParam(defaultValue = "false") boolean tryOut,
      @Parameter(hidden = true)
          @RequestAttribute(name = UnsafeRequestFilter.REQUEST, required = false)
          @Nullable String request) {
    JobSpec spec = check(documents.read(body, type));
    if (dryRun) {
      return ResponseEntity.ok(
          new CheckedJob(
              true,
              JobSpecReader.toDocument(spec),
              Stream.concat(
                      JobSpecReader.withoutEffect(spec).stream(),
                      tryOut ? failures(spec) : Stream.of())
                  .toList()));
    }
    String id = service.submit(spec, Caller.current().actor(), Optional.ofNullable(request));
    JobView job = Lookups.job(queries, id);
    return ResponseEntity.created(URI.create("/api/v1/jobs/" + id)).eTag(eTag(job)).body(job);
  }

  /// Jobs, newest first.
  ///
  /// @param state only jobs in one of these states
  /// @param name only jobs whose name holds this text, in any case
  @GetMapping(path = "/api/v1/jobs", produces = MediaType.APPLICATION_JSON_VALUE)
  PageView<JobView> jobs(
      @RequestParam(required = false) @Nullable Set<JobState> state,
      @RequestParam(defaultValue = "") String name,
      @RequestParam(defaultValue = Lookups.DEFAULT_PAGE_SIZE) int pageSize,
      @RequestParam(required = false) @Nullable String pageToken) {
    Lookups.requirePageSize(pageSize);
    if (name.length() > MAX_NAME_LENGTH) {
      throw Lookups.invalid(
          "name",
          "name must have at most %d characters but has %d"
              .formatted(MAX_NAME_LENGTH, name.length()),
          name);
    }
    return queries.jobs(state == null ? Set.of() : state, name, pageSize, pageToken);
  }

  /// How many jobs are in each state that has any.
  @GetMapping(path = "/api/v1/job-counts", produces = MediaType.APPLICATION_JSON_VALUE)
  Map<JobState, Long> counts() {
    return queries.jobsByState();
  }

  @GetMapping(path = Lookups.JOB, produces = MediaType.APPLICATION_JSON_VALUE)
  ResponseEntity<JobView> job(@PathVariable String job) {
    JobView view = Lookups.job(queries, job);
    return ResponseEntity.ok().eTag(eTag(view)).body(view);
  }

  /// Removes a job that has ended, with its checkpoints and logs, for good.
  @DeleteMapping(path = Lookups.JOB)
  @ResponseStatus(HttpStatus.NO_CONTENT)
  void delete(@PathVariable String job) {
    service.delete(job, Caller.current().actor());
  }

  /// The job file with every default filled in; submitting it again makes the same job.
  @GetMapping(path = Lookups.JOB + "/config", produces = MediaType.APPLICATION_JSON_VALUE)
  Map<String, Object> config(@PathVariable String job) {
    return JobSpecReader.toDocument(
        queries.spec(job).orElseThrow(() -> Lookups.notFound("job", job)));
  }

  /// The JSON schema of job files, for editors.
  @GetMapping(path = "/api/v1/job-schema", produces = "application/schema+json")
  String schema() {
    return JobSpecSchema.json();
  }

  /// {@return the tag of what is shown: the version, which `If-Match` compares, and the events}
  static String eTag(JobView job) {
    return "\"" + job.version() + "-" + job.events() + "\"";
  }

  private JobSpec check(Map<String, @Nullable Object> document) {
    JobSpecReader.Result result =
        JobSpecReader.read(
            document,
            programs::find,
            programs.programs().stream().map(ProgramDescriptor::name).toList());
    var problems = new ArrayList<>(result.problems());
    if (problems.stream().noneMatch(problem -> problem.pointer().equals(DATA))) {
      result
          .spec()
          .map(spec -> Optional.of(spec).filter(JobController::isLocal).flatMap(JobSpec::data))
          .orElseGet(() -> localData(document))
          .flatMap(this::problemOf)
          .ifPresent(problems::add);
    }
    if (!problems.isEmpty()) {
      throw invalid(problems);
    }
    return result.spec().orElseThrow();
  }

  /// {@return the data of a job whose workers the server starts, where the job itself cannot be
  /// read, for something else is wrong with it}
  private static Optional<String> localData(Map<String, @Nullable Object> document) {
    Object launch = document.get("launch");
    return (launch == null || launch.equals("local")) && document.get("data") instanceof String data
        ? Optional.of(data)
        : Optional.empty();
  }

  private static boolean isLocal(JobSpec spec) {
    return spec.launch() == JobSpec.Launch.LOCAL;
  }

  private Optional<Problem> problemOf(String data) {
    try {
      dataFolders.resolve(data);
      return Optional.empty();
    } catch (EspalierException e) {
      return Optional.of(new Problem(DATA, String.valueOf(e.getMessage()), data));
    }
  }

  /// Where workers come by themselves, what they can open is not to be seen from here.
  private Stream<String> failures(JobSpec spec) {
    if (!isLocal(spec)) {
      return Stream.of();
    }
    String data = spec.data().map(dataFolders::resolve).map(Path::toString).orElse("");
    Optional<ProgramDescriptor> program = programs.find(spec.program());
    return tryout
        .open(spec, data)
        .flatMap(
            opened -> program.flatMap(descriptor -> JobForecast.failure(spec, descriptor, opened)))
        .stream();
  }

  private static EspalierException invalid(List<Problem> problems) {
    return new EspalierException(
        ErrorCode.INVALID_JOB,
        problems.size() == 1
            ? problems.getFirst().message()
            : "the job file has " + problems.size() + " problems",
        problems);
  }

  /// A job file that was checked and not submitted.
  ///
  /// @param config the job file with every default filled in that has an effect
  /// @param warnings what is named and has no effect, and why it would fail here, though the file
  ///   is right
  record CheckedJob(boolean valid, Map<String, Object> config, List<String> warnings) {}
}
