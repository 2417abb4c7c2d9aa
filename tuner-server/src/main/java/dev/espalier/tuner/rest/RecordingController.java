package dev.espalier.tuner.rest;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.tuner.app.CounterfactualBill;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobQueries.DecisionFilter;
import dev.espalier.tuner.app.port.JobStore;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.replay.Recording;
import dev.espalier.tuner.replay.RecordingCodec;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

/// What a job can be judged by afterwards: its recording, and its counterfactual bill.
@RestController
class RecordingController {
  private static final int PAGE = 1000;

  private final JobQueries queries;
  private final JobStore store;
  private final EventLog log;
  private final ProgramRegistry programs;
  private final RecordingCodec codec = new RecordingCodec();

  RecordingController(JobQueries queries, JobStore store, EventLog log, ProgramRegistry programs) {
    this.queries = queries;
    this.store = store;
    this.log = log;
    this.programs = programs;
  }

  /// All that the job's policy saw and decided so far, one JSON document a line: the job, its
  /// events, its decisions. `espalier job replay` reads it.
  @GetMapping(path = Lookups.JOB + "/recording", produces = "application/x-ndjson")
  ResponseEntity<StreamingResponseBody> recording(@PathVariable String job) {
    JobStore.StoredJob stored = store.find(job).orElseThrow(() -> Lookups.notFound("job", job));
    ProgramDescriptor program = program(stored.spec().program());
    // Decisions first: one that is taken meanwhile has its event in the log, not the other way
    // round.
    List<Decision> decisions = decisions(job);
    List<SessionEvent> events = log.read(job);
    var recording =
        new Recording(job, stored.policyVersion(), stored.spec(), program, events, decisions);
    StreamingResponseBody body =
        out -> codec.write(recording, new OutputStreamWriter(out, StandardCharsets.UTF_8));
    return ResponseEntity.ok()
        .contentType(MediaType.parseMediaType("application/x-ndjson"))
        .header("Content-Disposition", "attachment; filename=\"" + job + ".ndjson\"")
        .body(body);
  }

  private List<Decision> decisions(String job) {
    var decisions = new ArrayList<Decision>();
    @Nullable String next = null;
    do {
      var page = queries.decisions(job, DecisionFilter.ALL, PAGE, next);
      page.items()
          .forEach(view ->
              decisions.add(
                  new Decision(
                      view.key(),
                      view.rule(),
                      view.outcome(),
                      view.actor(),
                      view.round(),
                      view.evidence())));
      next = page.nextPageToken();
    } while (next != null && !next.isEmpty());
    return decisions;
  }

  /// What random search over the settings of the job would have cost, with its assumptions.
  @GetMapping(path = Lookups.JOB + "/bill", produces = MediaType.APPLICATION_JSON_VALUE)
  BillView bill(@PathVariable String job) {
    JobView view = Lookups.job(queries, job);
    return CounterfactualBill.of(
        view,
        program(view.program()).validation().getFirst(),
        queries.samples(job),
        branches(job),
        queries.evaluations(job));
  }

  private List<BranchView> branches(String job) {
    var branches = new ArrayList<BranchView>();
    @Nullable String next = null;
    do {
      PageView<BranchView> page = queries.branches(job, null, null, PAGE, next);
      branches.addAll(page.items());
      next = page.nextPageToken();
    } while (next != null && !next.isEmpty());
    return branches;
  }

  private ProgramDescriptor program(String name) {
    return programs.find(name).orElseThrow(() -> Lookups.notFound("program", name));
  }
}
