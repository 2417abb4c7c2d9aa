package dev.espalier.cli;

import dev.espalier.api.rest.TimeText;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.ExitHook;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.watch.JobBoard;
import dev.espalier.cli.watch.JobSummary;
import dev.espalier.cli.watch.JobWatch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `espalier demo`.
@Command(
    name = "demo",
    description = {
      "Trains a model under the tuner, from nothing: starts a server with worker processes, submits"
          + " a job, shows it live, and ends with the schedule that was found.",
      "Without --data it uses data that the program generates, and takes about a minute."
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier demo",
      "  espalier demo --program mlp --data data/fashion-mnist",
      "  espalier demo --program mf --data data/movielens-100k --keep"
    })
final class DemoCommand implements Callable<Integer> {
  private static final List<String> PROGRAMS =
      List.of("mlp", "cnn", "lstm", "mf", "logreg", "softmax", "fm");

  private final Invocation invocation;

  @Option(
      names = "--program",
      paramLabel = "NAME",
      defaultValue = "mlp",
      description = "mlp, cnn, lstm, mf, logreg, softmax or fm (default: ${DEFAULT-VALUE}).")
  String program = "mlp";

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "Folder with data: IDX files or CIFAR-10 for mlp and cnn, a text for lstm, MovieLens for"
              + " mf, LIBSVM files for logreg, train.feat and test.feat for softmax, a Criteo log"
              + " for fm.")
  @Nullable Path data;

  @Option(
      names = "--workers",
      paramLabel = "N",
      defaultValue = "2",
      description = "Worker processes (default: ${DEFAULT-VALUE}).")
  int workers = 2;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "42",
      description = "Seed of everything random (default: ${DEFAULT-VALUE}).")
  long seed = 42;

  @Option(
      names = "--max-time",
      paramLabel = "TIME",
      description = "Bound on training and tuning, such as 90s or 5m.")
  @Nullable String maxTime;

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder of the demo's server (default: demo in ESPALIER_HOME).")
  @Nullable Path home;

  @Option(names = "--keep", description = "Leave the server running at the end.")
  boolean keep;

  DemoCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() throws InterruptedException {
    check();
    Terminal terminal = invocation.terminal();
    Path folder =
        (home == null ? invocation.home().resolve("demo") : home).toAbsolutePath().normalize();
    Optional<Path> dataFolder = dataFolder();
    terminal.line("Starting a server in " + folder + " ...");
    DemoServer server =
        DemoServer.start(folder, dataFolder.map(path -> path.toAbsolutePath().getParent()));
    var end = new DemoEnd(server);
    try {
      long begun = System.nanoTime();
      TunerClient client = server.await(() -> {});
      terminal.line(
          "Ready after "
              + Math.round((System.nanoTime() - begun) / 1e8) / 10.0
              + " s. Dashboard, signed in, works once:");
      terminal.line("  " + SignInCommand.link(client));
      JobBoard board = run(client, end, dataFolder.map(path -> path.getFileName().toString()));
      terminal.lines(JobSummary.end(board, terminal));
      afterwards(terminal, server, board.job().id());
      if (board.job().state().isTerminal()) {
        end.jobEnded();
      }
      return JobWatch.statusOf(board.job()).code();
    } finally {
      end.close(keep);
    }
  }

  private JobBoard run(TunerClient client, DemoEnd end, Optional<String> dataName)
      throws InterruptedException {
    var document = DemoJob.document(program, dataName, workers, seed, Optional.ofNullable(maxTime));
    String job = client.post("/jobs", document).path("id").asString("");
    end.jobStarted(client, job);
    invocation
        .terminal()
        .line("Submitted " + job + ": program " + program + ", " + workers + " workers.");
    return new JobWatch(client, invocation.terminal(), job).follow();
  }

  private void check() {
    if (!PROGRAMS.contains(program)) {
      throw usage("--program must be one of " + String.join(", ", PROGRAMS) + " but is " + program);
    }
    if (workers < 1 || workers > 64) {
      throw usage("--workers must be 1 to 64 but is " + workers);
    }
    String time = maxTime;
    if (time != null && TimeText.seconds(time).isEmpty()) {
      throw usage("--max-time must be a time such as 90s or 5m but is " + time);
    }
  }

  private Optional<Path> dataFolder() {
    if (data == null) {
      return Optional.empty();
    }
    Path folder = data.toAbsolutePath().normalize();
    if (!Files.isDirectory(folder)) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no folder " + folder);
    }
    if (folder.getParent() == null) {
      throw usage("--data must be a folder inside of another one but is " + folder);
    }
    return Optional.of(folder);
  }

  private void afterwards(Terminal terminal, DemoServer server, String job) {
    terminal.line("");
    if (!keep) {
      terminal.line("The server stops; --keep leaves it running.");
      return;
    }
    String options = " --server " + server.address() + " --token-file " + server.tokenFile();
    terminal.line("The server goes on at " + server.address() + " (process " + server.pid() + ").");
    terminal.line("  espalier schedule export " + job + " --format java" + options);
    terminal.line("  espalier sign-in" + options);
    terminal.line("  kill " + server.pid());
  }

  private static CommandFailure usage(String message) {
    return new CommandFailure(ExitStatus.USAGE, message);
  }

  /// Ends job and server once, whether the demo comes to its end or Ctrl-C does.
  private static final class DemoEnd {
    private static final Duration KILL = Duration.ofSeconds(5);

    private final DemoServer server;
    private final ExitHook hook = new ExitHook("stop-demo", this::stopAll);
    private final AtomicReference<@Nullable Running> running = new AtomicReference<>();

    DemoEnd(DemoServer server) {
      this.server = server;
    }

    private record Running(TunerClient client, String job) {}

    void jobStarted(TunerClient client, String job) {
      running.set(new Running(client, job));
    }

    void jobEnded() {
      running.set(null);
    }

    void close(boolean keep) {
      if (hook.withdraw() && (!keep || running.get() != null)) {
        stopAll();
      }
    }

    // Workers outlive their server so that it may be updated; a demo's must not.
    private void stopAll() {
      Running job = running.getAndSet(null);
      if (job != null) {
        killJob(job);
      }
      server.close();
    }

    private static void killJob(Running running) {
      try {
        String path = "/jobs/" + TunerClient.segment(running.job());
        running.client().post(path + "/kill");
        long end = System.nanoTime() + KILL.toNanos();
        while (System.nanoTime() < end
            && !running.client().job(running.job()).state().isTerminal()) {
          Thread.sleep(100);
        }
      } catch (CommandFailure e) {
        // It has ended already, or its server has; the server's processes are ended next.
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
