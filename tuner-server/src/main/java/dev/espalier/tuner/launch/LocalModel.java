package dev.espalier.tuner.launch;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.Problem;
import dev.espalier.api.model.ProgramDescriptor;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobSpecReader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The model of checkpoints that lie on this machine and not at a server, as those of workers do
/// that came to their job by themselves.
public final class LocalModel {
  private LocalModel() {}

  /// Writes the tables of a checkpoint as a NumPy archive.
  ///
  /// @param configuration of the job, as the server tells it
  /// @param jar of its program; empty for a built-in one
  /// @param data its data folder here; empty where it has none
  /// @param checkpoints folder with a folder for each checkpoint that has the parts of all workers
  /// @throws EspalierException `INVALID_JOB` when the program or its data are not given,
  ///   `CHECKPOINT_FAILED` saying what is wrong with the checkpoint
  public static void export(
      Map<String, Object> configuration,
      Optional<Path> jar,
      Optional<Path> data,
      Path checkpoints,
      long snapshot,
      Path file) {
    WorkerCommand command = WorkerCommand.ofDistribution(List.of());
    List<ProgramDescriptor> programs =
        jar.map(one -> DescribedPrograms.declaredIn(command, one))
            .orElseGet(() -> DescribedPrograms.builtIn(command));
    JobSpecReader.Result read =
        JobSpecReader.read(
            configuration,
            name -> programs.stream().filter(program -> program.name().equals(name)).findFirst());
    JobSpec spec =
        read.spec()
            .orElseThrow(() ->
                new EspalierException(
                    ErrorCode.INVALID_JOB,
                    String.join("; ", read.problems().stream().map(Problem::message).toList())
                        + (jar.isEmpty() ? "; give the jar of its program with --jar" : "")));
    requireData(spec, data);
    CheckpointExporter.export(
        command,
        jar.stream().toList(),
        new CheckpointExporter.Checkpoint(
            spec,
            data.map(folder -> folder.toAbsolutePath().toString()).orElse(""),
            checkpoints.toAbsolutePath(),
            snapshot),
        file);
  }

  /// Programs know from their data how large the tables are.
  static void requireData(JobSpec spec, Optional<Path> data) {
    if (spec.data().isPresent() && data.isEmpty()) {
      throw new EspalierException(
          ErrorCode.INVALID_JOB,
          "the job's program is opened with its data, "
              + spec.data().get()
              + ": give their folder on this machine with --data");
    }
  }
}
