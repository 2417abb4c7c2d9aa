package dev.espalier.cli;

import dev.espalier.cli.client.ExitStatus;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `espalier model`.
@Command(
    name = "model",
    description = "Takes the model of a job out.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier model export latest model.npz"})
final class ModelCommands extends CommandGroup {
  private final Invocation invocation;

  ModelCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "export",
      description =
          "Writes the parameters of a job's result, the best so far, to a NumPy archive: each table"
              + " an array of 32-bit floats, rows x columns.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier model export latest model.npz",
        "  python3 -c \"import numpy; print(dict(numpy.load('model.npz')))\""
      })
  int export(
      @Parameters(index = "0", paramLabel = "JOB", description = "Id of the job, or latest.")
          String job,
      @Parameters(
              index = "1",
              paramLabel = "FILE",
              description = "File to write, such as model.npz.")
          Path file,
      @Option(
              names = "--snapshot",
              paramLabel = "N",
              description = "A snapshot of the job in place of its result.")
          @Nullable Long snapshot) {
    String which = snapshot == null ? "" : "?snapshot=" + snapshot;
    long bytes = invocation.client().download(invocation.jobPath(job) + "/model" + which, file);
    invocation.err().println("Wrote " + bytes + " bytes to " + file + ".");
    return ExitStatus.OK.code();
  }
}
