package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.ModelExporter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import tools.jackson.databind.json.JsonMapper;

/// Has a worker process read a checkpoint: the server knows no program, and no table.
public final class CheckpointExporter implements ModelExporter {
  private static final long TIMEOUT_SECONDS = 1800;

  private final JsonMapper json = JsonMapper.builder().build();
  private final WorkerCommand command;
  private final DescribedPrograms programs;
  private final Path jobsFolder;

  /// @param jobsFolder each job has a folder of its id below it
  public CheckpointExporter(WorkerCommand command, DescribedPrograms programs, Path jobsFolder) {
    this.command = command;
    this.programs = programs;
    this.jobsFolder = jobsFolder;
  }

  @Override
  public Path export(String job, JobSpec spec, String data, long snapshot) {
    Path folder = jobsFolder.resolve(job);
    try {
      Path file = Files.createTempFile(folder, "model-", ".npz");
      var request = new LinkedHashMap<String, Object>();
      request.put("program", spec.program());
      request.put("arguments", spec.arguments());
      request.put("data", data);
      request.put("workers", spec.workers());
      request.put("seed", spec.seed());
      request.put("communication", spec.communication());
      request.put("checkpoints", folder.resolve("checkpoints").toString());
      request.put("checkpoint", snapshot);
      request.put("file", file.toString());
      boolean isWritten = false;
      try {
        command.answer(
            programs.jarsOf(spec.program()),
            "model",
            json.writeValueAsBytes(request),
            TIMEOUT_SECONDS);
        isWritten = true;
      } finally {
        if (!isWritten) {
          Files.deleteIfExists(file);
        }
      }
      return file;
    } catch (IOException failure) {
      throw failed(snapshot, failure);
    } catch (EspalierException failure) {
      throw failed(snapshot, failure);
    }
  }

  private static EspalierException failed(long snapshot, Exception failure) {
    return new EspalierException(
        ErrorCode.CHECKPOINT_FAILED,
        "snapshot " + snapshot + " cannot be exported: " + failure.getMessage(),
        failure);
  }
}
