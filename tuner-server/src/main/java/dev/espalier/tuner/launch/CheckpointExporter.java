package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.ModelExporter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// Has a worker process read a checkpoint: the server knows no program, and no table.
public final class CheckpointExporter implements ModelExporter {
  private static final Logger log = LoggerFactory.getLogger(CheckpointExporter.class);
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final long TIMEOUT_SECONDS = 1800;
  private static final String PREFIX = "model-";
  private static final String SUFFIX = ".npz";

  private final WorkerCommand command;
  private final DescribedPrograms programs;
  private final Path jobsFolder;

  /// @param jobsFolder each job has a folder of its id below it
  public CheckpointExporter(WorkerCommand command, DescribedPrograms programs, Path jobsFolder) {
    this.command = command;
    this.programs = programs;
    this.jobsFolder = jobsFolder;
  }

  /// Removes what a server that was killed has left half written.
  public void discardUnfinished() {
    if (!Files.isDirectory(jobsFolder)) {
      return;
    }
    try (Stream<Path> files = Files.find(jobsFolder, 2, (file, _) -> isExport(file))) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | UncheckedIOException failure) {
      log.warn("exports cannot be removed: {}", failure.toString());
    }
  }

  private static boolean isExport(Path file) {
    String name = file.getFileName().toString();
    return name.startsWith(PREFIX) && name.endsWith(SUFFIX);
  }

  @Override
  public Path export(String job, JobSpec spec, String data, long snapshot) {
    Path folder = jobsFolder.resolve(job);
    try {
      Path file = Files.createTempFile(folder, PREFIX, SUFFIX);
      export(
          command,
          programs.jarsOf(spec.program()),
          new Checkpoint(spec, data, folder.resolve("checkpoints"), snapshot),
          file);
      return file;
    } catch (IOException failure) {
      throw failed(ErrorCode.CHECKPOINT_FAILED, snapshot, failure);
    }
  }

  /// A checkpoint that lies on this machine.
  ///
  /// @param data real path of the job's data folder; empty for none
  /// @param folder has a folder for each checkpoint, with the parts of all workers
  public record Checkpoint(JobSpec spec, String data, Path folder, long snapshot) {}

  /// Writes the tables of a checkpoint as a NumPy archive.
  ///
  /// @param programJars what its program needs beside the worker runtime
  /// @param file to be written; gone where that fails
  /// @throws EspalierException saying what is wrong
  public static void export(
      WorkerCommand command, List<Path> programJars, Checkpoint checkpoint, Path file) {
    JobSpec spec = checkpoint.spec();
    var model = new LinkedHashMap<String, Object>();
    model.put("program", spec.program());
    model.put("arguments", spec.arguments());
    model.put("data", checkpoint.data());
    model.put("workers", spec.workers());
    model.put("seed", spec.seed());
    model.put("communication", spec.communication());
    model.put("checkpoints", checkpoint.folder().toString());
    model.put("checkpoint", checkpoint.snapshot());
    var request = Map.of("model", model, "file", file.toString());
    boolean isWritten = false;
    try {
      command.answer(programJars, "model", JSON.writeValueAsBytes(request), TIMEOUT_SECONDS);
      isWritten = true;
    } catch (EspalierException failure) {
      throw failed(failure.code(), checkpoint.snapshot(), failure);
    } finally {
      if (!isWritten) {
        discard(file);
      }
    }
  }

  private static void discard(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException failure) {
      log.warn("{} cannot be removed: {}", file, failure.toString());
    }
  }

  private static EspalierException failed(ErrorCode code, long snapshot, Exception failure) {
    return new EspalierException(
        code, "snapshot " + snapshot + " cannot be exported: " + failure.getMessage(), failure);
  }
}
