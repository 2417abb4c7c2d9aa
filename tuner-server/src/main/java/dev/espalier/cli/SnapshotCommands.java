package dev.espalier.cli;

import dev.espalier.api.model.SnapshotState;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.List;
import java.util.OptionalLong;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier snapshot`.
@Command(
    name = "snapshot",
    description = "Shows the snapshots of a job, keeps them, and goes back to one.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier snapshot list latest", "  espalier snapshot restore latest 7"})
final class SnapshotCommands extends CommandGroup {
  private static final String SNAPSHOT = "Number of the snapshot.";

  private final Invocation invocation;

  SnapshotCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "list",
      description =
          "Lists the snapshots of a job that are there or are being written, and says which of them"
              + " is the result.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier snapshot list latest", "  espalier snapshot list latest --all -o json"})
  int list(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(
              names = "--all",
              description = "Those too that were dropped, or could not be written.")
          boolean all) {
    String path = invocation.jobPath(job);
    TunerClient client = invocation.client();
    List<JsonNode> items =
        client.items(path + "/snapshots?pageSize=1000").stream()
            .filter(item -> all || isThere(Json.as(item, SnapshotView.class)))
            .toList();
    return invocation.list(
        items,
        all ? "No snapshots yet." : "No snapshots are there.",
        () -> {
          List<SnapshotView> snapshots =
              items.stream().map(item -> Json.as(item, SnapshotView.class)).toList();
          JobView.Result result = client.get(path, JobView.class).result();
          return table(
              snapshots, result == null ? OptionalLong.empty() : result.snapshotAmong(snapshots));
        });
  }

  private static boolean isThere(SnapshotView snapshot) {
    return snapshot.state() == SnapshotState.READY || snapshot.state() == SnapshotState.WRITING;
  }

  private static Table table(List<SnapshotView> snapshots, OptionalLong result) {
    var table =
        new Table(
                "snapshot", "branch", "start", "clock", "epoch", "setting", "MiB", "time", "state")
            .sparing("start", "time", "MiB", "branch", "epoch", "clock");
    for (SnapshotView snapshot : snapshots) {
      boolean isResult = result.isPresent() && result.getAsLong() == snapshot.snapshot();
      table.row(
          Long.toString(snapshot.snapshot()),
          "#" + snapshot.branch(),
          Integer.toString(snapshot.start()),
          Long.toString(snapshot.mainlineClock()),
          Words.number(snapshot.epoch()),
          Words.setting(snapshot.setting()),
          snapshot.state() == SnapshotState.READY
              ? Words.number((double) snapshot.sizeBytes() / (1 << 20))
              : "-",
          Words.clock(snapshot.createTime()),
          snapshot.state()
              + (snapshot.pinned() ? ", pinned" : "")
              + (isResult ? ", the result" : ""));
    }
    return table;
  }

  @Command(
      name = "restore",
      description =
          "Goes back to a snapshot, with its setting; where training stands is saved first.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier snapshot restore latest 7"})
  int restore(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot) {
    return invocation.ask(
        job, "snapshot", snapshot, "restore", "Asked to go back to snapshot %s of %s.");
  }

  @Command(
      name = "pin",
      description = "Keeps a snapshot, however many newer ones there are.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier snapshot pin latest 7"})
  int pin(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot) {
    return invocation.ask(job, "snapshot", snapshot, "pin", "Snapshot %s of %s stays.");
  }

  @Command(
      name = "unpin",
      description = "Lets a snapshot go when newer ones are ready, which may be at once.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier snapshot unpin latest 7"})
  int unpin(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "SNAPSHOT", description = SNAPSHOT) String snapshot) {
    return invocation.ask(
        job, "snapshot", snapshot, "unpin", "Snapshot %s of %s goes when newer ones are ready.");
  }
}
