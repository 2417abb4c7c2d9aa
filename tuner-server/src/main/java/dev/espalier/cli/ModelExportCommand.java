package dev.espalier.cli;

import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.FileAside;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.tuner.launch.LocalModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `espalier model export`.
@Command(
    name = "export",
    description =
        "Writes the parameters of a job's result to a NumPy archive: each table an array of 32-bit"
            + " floats, rows x columns, and beside it TABLE.rows, the names of its rows, where the"
            + " program knows any. The result is the model with the best evaluation so far;"
            + " with the policies mltuner and fixed it is the last one that was evaluated and saved."
            + " With --checkpoints, those of a job whose workers came by themselves: they keep"
            + " snapshots in .espalier/checkpoints below the folder they were started in.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier model export latest model.npz",
      "  espalier model export latest model.npz --checkpoints .espalier/checkpoints --jar mine.jar",
      "  python3 -c \"import numpy; print(dict(numpy.load('model.npz')))\""
    })
final class ModelExportCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB)
  String job = "";

  @Parameters(index = "1", paramLabel = "FILE", description = "File to write, such as model.npz.")
  Path file = Path.of("");

  @Option(
      names = "--snapshot",
      paramLabel = "N",
      description = "A snapshot of the job in place of its result.")
  @Nullable Long snapshot;

  @Option(
      names = "--checkpoints",
      paramLabel = "FOLDER",
      description =
          "Folder on this machine that has the checkpoints of all workers of the job, in place of"
              + " the server's.")
  @Nullable Path checkpoints;

  @Option(
      names = "--jar",
      paramLabel = "JAR",
      description = "Jar of the job's program, with --checkpoints; none for a built-in one.")
  @Nullable Path jar;

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      description = "Data folder of the job, with --checkpoints, where it names one.")
  @Nullable Path data;

  ModelExportCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    if (checkpoints == null && (jar != null || data != null)) {
      throw new CommandFailure(
          ExitStatus.USAGE, "--jar and --data go with --checkpoints: the server has its own");
    }
    String path = invocation.jobPath(job);
    long bytes =
        checkpoints == null
            ? invocation
                .client()
                .download(path + "/model" + (snapshot == null ? "" : "?snapshot=" + snapshot), file)
            : exportHere(invocation.client(), path, checkpoints);
    invocation.err().println("Wrote " + bytes + " bytes to " + file + ".");
    return invocation.isTable()
        ? ExitStatus.OK.code()
        : invocation.show(Json.tree(Map.of("file", file.toString(), "bytes", bytes)), List::of);
  }

  private long exportHere(TunerClient client, String path, Path folder) {
    long wanted = snapshot == null ? result(client, path) : snapshot;
    Path ofJob = folder.resolve(invocation.jobId(job));
    try {
      return FileAside.write(
          file,
          aside ->
              LocalModel.export(
                  Json.readDocument(
                      "the job's configuration", Json.write(client.get(path + "/config"))),
                  Optional.ofNullable(jar),
                  Optional.ofNullable(data),
                  Files.isDirectory(ofJob) ? ofJob : folder,
                  wanted,
                  aside.toAbsolutePath()));
    } catch (EspalierException failure) {
      throw new CommandFailure(
          ExitStatus.of(failure.code(), ExitStatus.INTERNAL),
          String.valueOf(failure.getMessage()),
          failure);
    } catch (IOException failure) {
      throw new CommandFailure(
          ExitStatus.INTERNAL, file + " cannot be written: " + failure.getMessage(), failure);
    }
  }

  private static long result(TunerClient client, String path) {
    JobView.Result result = client.get(path, JobView.class).result();
    List<SnapshotView> ready =
        client.all(path + "/snapshots?pageSize=1000", SnapshotView.class).stream()
            .filter(SnapshotView::isReady)
            .toList();
    return (result == null ? OptionalLong.empty() : result.snapshotAmong(ready))
        .orElseThrow(() ->
            new CommandFailure(
                ExitStatus.CONFLICT,
                "the job has no result on a disk; snapshots to name with --snapshot: "
                    + ready.stream().map(SnapshotView::snapshot).toList()));
  }
}
