package dev.espalier.tuner.rest;

import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.EvaluationView;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PageView;
import dev.espalier.tuner.app.CounterfactualBill;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.JobQueries.DecisionFilter;
import dev.espalier.tuner.app.port.JobQueries.Recorded;
import dev.espalier.tuner.app.port.ProgramRegistry;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.replay.RecordingCodec;
import dev.espalier.tuner.replay.RecordingWriter;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/// What a job can be judged by afterwards: its recording, and its counterfactual bill.
@RestController
class RecordingController {
  private static final int PAGE = 1000;

  private static final String NDJSON = "application/x-ndjson";

  private final JobQueries queries;
  private final ProgramRegistry programs;
  private final LargeAnswers answers;
  private final RecordingCodec codec = new RecordingCodec();

  RecordingController(JobQueries queries, ProgramRegistry programs, LargeAnswers answers) {
    this.queries = queries;
    this.programs = programs;
    this.answers = answers;
  }

  /// All that the job's policy saw and decided so far, one JSON document a line: the job, its
  /// events, its decisions, and how many there are of both. `espalier job replay` reads it.
  @GetMapping(path = Lookups.JOB + "/recording", produces = NDJSON)
  void recording(@PathVariable String job, HttpServletResponse response) throws IOException {
    Recorded recorded = queries.recorded(job).orElseThrow(() -> Lookups.notFound("job", job));
    ProgramDescriptor program = program(recorded.spec().program());
    answers.give(() -> {
      response.setContentType(NDJSON);
      response.setHeader("Content-Disposition", "attachment; filename=\"" + job + ".ndjson\"");
      var out = new OutputStreamWriter(response.getOutputStream(), StandardCharsets.UTF_8);
      try {
        write(
            recorded,
            job,
            codec.begin(job, recorded.policyVersion(), recorded.spec(), program, out));
      } catch (RuntimeException failure) {
        if (!response.isCommitted()) {
          throw failure;
        }
        // Nothing can be said any more but by breaking the connection off.
        throw new IOException("a recording of job " + job + " is cut off", failure);
      }
    });
  }

  private void write(Recorded recorded, String job, RecordingWriter out) throws IOException {
    while (out.events() < recorded.events()) {
      List<SessionEvent> part = queries.events(job, out.events(), recorded.events());
      if (part.isEmpty()) {
        throw new IllegalStateException(
            "job " + job + " has lost its events after " + out.events());
      }
      for (SessionEvent event : part) {
        out.event(event);
      }
    }
    @Nullable String next = null;
    do {
      var page = queries.decisions(job, DecisionFilter.ALL, PAGE, next);
      for (DecisionView view : page.items()) {
        if (view.sequence() <= recorded.decisions()) {
          out.decision(
              new Decision(
                  view.key(),
                  view.rule(),
                  view.outcome(),
                  view.actor(),
                  view.round(),
                  view.evidence()));
        }
      }
      next = page.nextPageToken();
    } while (next != null && out.decisions() < recorded.decisions());
    if (out.decisions() < recorded.decisions()) {
      throw new IllegalStateException(
          "job " + job + " has lost its decisions after " + out.decisions());
    }
    out.end();
  }

  /// What random search over the settings of the job would have cost, with its assumptions.
  @GetMapping(path = Lookups.JOB + "/bill", produces = MediaType.APPLICATION_JSON_VALUE)
  BillView bill(@PathVariable String job) {
    JobView view = Lookups.job(queries, job);
    return CounterfactualBill.of(
        view,
        program(view.program()).validation().getFirst(),
        queries.tried(job),
        evaluations(job));
  }

  private List<EvaluationView> evaluations(String job) {
    var all = new ArrayList<EvaluationView>();
    String next = null;
    do {
      PageView<EvaluationView> page = queries.evaluations(job, PAGE, next);
      all.addAll(page.items());
      next = page.nextPageToken();
    } while (next != null);
    return all;
  }

  private ProgramDescriptor program(String name) {
    return programs.find(name).orElseThrow(() -> Lookups.notFound("program", name));
  }
}
