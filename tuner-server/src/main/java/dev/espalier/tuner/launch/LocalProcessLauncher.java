package dev.espalier.tuner.launch;

import static java.util.Comparator.comparing;
import static java.util.Comparator.naturalOrder;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.tuner.app.port.WorkerLauncher;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Workers as child JVMs that outlive the server.
public final class LocalProcessLauncher implements WorkerLauncher {
  /*
   * A worker must survive the server's death and the terminal's interrupt: it is started below a
   * shell that ignores both signals and hands that on, its output goes to a file and not to a pipe,
   * and its process number stands in a file so that the next server can end it. Before a number from
   * a file is trusted, the process must name the job on its command line, and no other folder of
   * jobs than this: beside a server there may be one on a copy of its home, whose files tell the
   * same numbers.
   *
   * The secret travels in the environment, which only the same user can read.
   */

  private static final Logger log = LoggerFactory.getLogger(LocalProcessLauncher.class);

  /// Environment variables that no program may see.
  static final List<String> SECRETS_OF_THE_SERVER =
      List.of("ESPALIER_TOKEN", "ESPALIER_DATABASE_PASSWORD", "ESPALIER_DATABASE_URL");

  private static final Charset ARGUMENTS =
      Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

  private static final String FOLDER_MARK = "-Despalier.jobs=";

  private final WorkerCommand command;
  private final DescribedPrograms programs;
  private final Path jobsFolder;
  private final String tunerAddress;
  private final Map<String, List<Process>> processes = new ConcurrentHashMap<>();

  /// Jobs that may have workers, whichever server launched them.
  private final Set<String> live = ConcurrentHashMap.newKeySet();

  /// @param jobsFolder each job has a folder of its id below it
  /// @param tunerAddress host:port that workers connect to
  public LocalProcessLauncher(
      WorkerCommand command, DescribedPrograms programs, Path jobsFolder, String tunerAddress) {
    this.command = command;
    this.programs = programs;
    this.jobsFolder = jobsFolder;
    this.tunerAddress = tunerAddress;
  }

  @Override
  public void launch(String job, JobSpec spec, int generation, String secret, ExitListener onExit) {
    var started = new ArrayList<Process>();
    try {
      Path logs = Files.createDirectories(folder(job).resolve("logs"));
      for (int worker = 0; worker < spec.workers(); worker++) {
        Process process = start(job, spec, generation, worker, secret, logs);
        started.add(process);
        Files.writeString(pidFile(job, worker), Long.toString(process.pid()));
      }
    } catch (IOException | OutOfMemoryError failure) {
      started.forEach(Process::destroyForcibly);
      // Where the system refused the thread that waits for it, a process is there that nobody has.
      ProcessHandle.current().children().forEach(child -> endIfOurs(child, job));
      killByFile(job);
      // The JVM's guesses at reasons follow in further lines.
      String why = String.valueOf(failure.getMessage()).lines().findFirst().orElse("").strip();
      throw new EspalierException(ErrorCode.INTERNAL, "workers cannot be started: " + why, failure);
    }
    processes.put(job, started);
    // Not before all have started: the end of one of them is news only then.
    for (int worker = 0; worker < started.size(); worker++) {
      int number = worker;
      var _ =
          started
              .get(worker)
              .onExit()
              .thenAccept(ended -> onExit.exited(number, OptionalInt.of(ended.exitValue())));
    }
  }

  private void endIfOurs(ProcessHandle process, String job) {
    try {
      if (isOurs(process, job)) {
        process.destroyForcibly();
      }
    } catch (IOException failure) {
      log.warn("job={} process {} cannot be seen: {}", job, process.pid(), failure.getMessage());
    }
  }

  @Override
  public boolean hasStarted(String job) {
    try {
      return !pidFiles(job).isEmpty();
    } catch (IOException failure) {
      log.warn("job={} worker files cannot be read: {}", job, failure.getMessage());
      return true;
    }
  }

  @Override
  public void watch(String job, int workers, ExitListener onExit) {
    for (int worker = 0; worker < workers; worker++) {
      int number = worker;
      try {
        Optional<ProcessHandle> process = process(pidFile(job, worker), job);
        if (process.isEmpty()) {
          onExit.exited(number, OptionalInt.empty());
        } else {
          var _ =
              process.get().onExit().thenAccept(_ -> onExit.exited(number, OptionalInt.empty()));
        }
      } catch (IOException | OutOfMemoryError failure) {
        // Its lease says when it is missed.
        log.warn("job={} worker={} cannot be watched: {}", job, worker, failure.getMessage());
      }
    }
  }

  private Process start(
      String job, JobSpec spec, int generation, int worker, String secret, Path logs)
      throws IOException {
    List<String> java =
        command.line(
            List.of(mark(job), FOLDER_MARK + jobsFolder, cores(spec.workers())),
            programs.jarsOf(spec.program()),
            List.of("work", "--job", job, "--tuner", tunerAddress, "--worker", "" + worker));
    var line = new ArrayList<>(List.of("sh", "-c", "trap '' INT HUP; exec \"$@\"", "worker"));
    line.addAll(java);
    var builder = new ProcessBuilder(line);
    builder.environment().put("ESPALIER_WORKER_SECRET", secret);
    builder.environment().put("ESPALIER_WORKER_GENERATION", "" + generation);
    SECRETS_OF_THE_SERVER.forEach(builder.environment()::remove);
    Path file = logs.resolve("worker-%s-generation-%s.log".formatted(worker, generation));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(file.toFile()));
    return builder.start();
  }

  /// What a worker does on several cores at once would only be in the way of the others.
  private static String cores(int workers) {
    int each = Math.max(1, Runtime.getRuntime().availableProcessors() / workers);
    return "-Despalier.cores=" + each;
  }

  @Override
  public void kill(String job) {
    live.remove(job);
    List<Process> known = processes.remove(job);
    if (known != null) {
      known.forEach(Process::destroyForcibly);
    }
    killByFile(job);
  }

  private void killByFile(String job) {
    try {
      for (Path file : pidFiles(job)) {
        process(file, job).ifPresent(ProcessHandle::destroyForcibly);
        Files.deleteIfExists(file);
      }
    } catch (IOException failure) {
      log.warn("job={} worker files cannot be read: {}", job, failure.getMessage());
    }
  }

  private List<Path> pidFiles(String job) throws IOException {
    Path folder = folder(job);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".pid")).toList();
    } catch (UncheckedIOException failure) {
      throw failure.getCause();
    }
  }

  private boolean isOurs(ProcessHandle process, String job) throws IOException {
    return isOurs(arguments(process), job);
  }

  /// Of long command lines, as of long class paths, the JVM itself tells none under Linux.
  ///
  /// @throws IOException when they cannot be seen, which says nothing of the process
  private static List<String> arguments(ProcessHandle process) throws IOException {
    Path file = Path.of("/proc", Long.toString(process.pid()), "cmdline");
    try {
      return List.of(new String(Files.readAllBytes(file), ARGUMENTS).split("\0"));
    } catch (NoSuchFileException _) {
      // Another system, or the process has ended.
      return process.info().arguments().map(List::of).orElse(List.of());
    } catch (IOException failure) {
      if (process.isAlive()) {
        throw failure;
      }
      return List.of();
    }
  }

  /// {@return the worker of a file, where it is there}
  ///
  /// @throws IOException when that cannot be seen
  private Optional<ProcessHandle> process(Path file, String job) throws IOException {
    try {
      Optional<ProcessHandle> process =
          ProcessHandle.of(Long.parseLong(Files.readString(file).strip()));
      return process.isPresent() && isOurs(process.get(), job) ? process : Optional.empty();
    } catch (NoSuchFileException | NumberFormatException _) {
      return Optional.empty();
    }
  }

  @Override
  public List<Path> logs(String job) {
    Path logs = folder(job).resolve("logs");
    if (!Files.isDirectory(logs)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(logs)) {
      // In the order of their generations, of which the tenth comes after the second.
      return files
          .sorted(comparing(LocalProcessLauncher::padded).thenComparing(naturalOrder()))
          .toList();
    } catch (IOException | UncheckedIOException failure) {
      log.warn("job={} logs cannot be read: {}", job, failure.getMessage());
      return List.of();
    }
  }

  @Override
  public void discard(String job) {
    Path folder = folder(job);
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> all = Files.walk(folder)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    } catch (IOException | UncheckedIOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, folder + " cannot be removed: " + failure, failure);
    }
  }

  private static String padded(Path log) {
    String[] parts = log.getFileName().toString().split("-generation-", 2);
    String generation = parts[parts.length - 1].replaceFirst("[^0-9].*", "");
    return "0".repeat(Math.max(0, 10 - generation.length())) + generation;
  }

  /// {@return the files that workers may be writing to}
  public List<Path> liveLogs() {
    return live.stream().flatMap(job -> logs(job).stream()).toList();
  }

  /// A job's workers are about to be attached: its logs count as live from now on.
  ///
  /// @return the folder of its checkpoints, made when it is missing
  public String checkpointFolder(String job) {
    live.add(job);
    try {
      Path folder = folder(job);
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx------"));
      return Files.createDirectories(folder.resolve("checkpoints")).toString();
    } catch (IOException failure) {
      throw new EspalierException(
          ErrorCode.INTERNAL, "the job's folder cannot be made: " + failure.getMessage(), failure);
    }
  }

  private boolean isOurs(List<String> arguments, String job) {
    return arguments.contains(mark(job))
        && arguments.stream()
            .filter(argument -> argument.startsWith(FOLDER_MARK))
            .allMatch(argument -> isJobsFolder(argument.substring(FOLDER_MARK.length())));
  }

  /// The server that started a worker may have come here by another name of the same folder.
  private boolean isJobsFolder(String name) {
    try {
      return Files.isSameFile(Path.of(name), jobsFolder);
    } catch (IOException | InvalidPathException _) {
      return name.equals(jobsFolder.toString());
    }
  }

  private static String mark(String job) {
    return "-Despalier.job=" + job;
  }

  private Path pidFile(String job, int worker) {
    return folder(job).resolve("worker-" + worker + ".pid");
  }

  /// Job ids are made by the server; this refuses anything else all the same.
  private Path folder(String job) {
    if (!job.matches("job_[0-9a-z]{1,64}")) {
      throw new IllegalArgumentException("not a job id: " + job);
    }
    return jobsFolder.resolve(job);
  }
}
