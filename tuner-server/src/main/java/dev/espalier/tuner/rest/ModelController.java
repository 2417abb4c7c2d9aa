package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.tuner.app.port.DataFolders;
import dev.espalier.tuner.app.port.JobQueries;
import dev.espalier.tuner.app.port.ModelExporter;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/// What a job is for: its model.
@RestController
class ModelController {
  private static final String ZIP = "application/zip";

  private final JobQueries queries;
  private final DataFolders dataFolders;
  private final ModelExporter exporter;

  /// Each starts a process that holds a whole model, and takes its time.
  private final LargeAnswers exports = new LargeAnswers(1, "model is being taken out");

  /// Each keeps a file on the disk for as long as its reader takes.
  private final LargeAnswers answers = new LargeAnswers(8, "models are being sent");

  ModelController(JobQueries queries, DataFolders dataFolders, ModelExporter exporter) {
    this.queries = queries;
    this.dataFolders = dataFolders;
    this.exporter = exporter;
  }

  /// The parameters of a model as a NumPy archive: each table an array of 32-bit floats, rows x
  /// columns, and beside it `TABLE.rows`, the names of its rows, where the program knows any.
  ///
  /// @param snapshot a durable one; without it that of the job's result
  @GetMapping(path = Lookups.JOB + "/model", produces = ZIP)
  void model(
      @PathVariable String job,
      @RequestParam(required = false) @Nullable Long snapshot,
      HttpServletResponse response)
      throws IOException {
    JobSpec spec = queries.spec(job).orElseThrow(() -> Lookups.notFound("job", job));
    if (spec.launch() == JobSpec.Launch.EXTERNAL) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "snapshots of a job with launch: external lie beside its workers, not at the server;"
              + " gather them in one folder and name it: espalier model export JOB FILE"
              + " --checkpoints FOLDER");
    }
    long wanted = snapshot == null ? result(job) : ready(job, snapshot);
    String data = spec.data().map(name -> dataFolders.resolve(name).toString()).orElse("");
    answers.give(() -> {
      Path file = exports.make(() -> exporter.export(job, spec, data, wanted));
      try {
        response.setContentType(ZIP);
        response.setContentLengthLong(Files.size(file));
        response.setHeader(
            "Content-Disposition", "attachment; filename=\"" + job + "-" + wanted + ".npz\"");
        Files.copy(file, response.getOutputStream());
      } finally {
        Files.deleteIfExists(file);
      }
    });
  }

  private long result(String job) {
    JobView view = Lookups.job(queries, job);
    JobView.Result result = view.result();
    List<SnapshotView> ready = ready(job);
    if (result == null) {
      throw new EspalierException(
          ErrorCode.WRONG_STATE,
          "job "
              + job
              + (view.state().isTerminal() ? " ended without a result" : " has no result yet")
              + those(ready));
    }
    return result
        .snapshotAmong(ready)
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.WRONG_STATE,
                "the result of job " + job + " is not on the disk yet" + those(ready)));
  }

  private long ready(String job, long snapshot) {
    return queries
        .snapshot(job, snapshot)
        .filter(SnapshotView::isReady)
        .map(SnapshotView::snapshot)
        .orElseThrow(() ->
            new EspalierException(
                ErrorCode.NOT_FOUND,
                "there is no snapshot " + snapshot + " in job " + job + those(ready(job))));
  }

  private List<SnapshotView> ready(String job) {
    return queries.latestSnapshots(job, 0).items().stream().filter(SnapshotView::isReady).toList();
  }

  private static String those(List<SnapshotView> ready) {
    return ready.isEmpty()
        ? "; there are no snapshots on the disk"
        : "; snapshots on the disk: " + ready.stream().map(SnapshotView::snapshot).toList();
  }
}
