package dev.espalier.tuner.persistence;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.PrintableText;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.tukaani.xz.XZInputStream;

/// A PostgreSQL server of this process: unpacked from the class path, durable, protected by a
/// random password, on loopback only.
///
/// It runs below a shell that holds the read end of a pipe from this process. However this process
/// ends, the pipe closes and the shell tells PostgreSQL to shut down, so no server is left behind.
/// When PostgreSQL itself dies it is started again on the same port.
public final class EmbeddedPostgres implements AutoCloseable {
  /// The version of the binaries on the class path; a test compares it with what the server says.
  public static final String VERSION = "18.6";

  private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);
  private static final String MAJOR = "18";
  private static final String USER = "espalier";
  private static final String DATABASE = "espalier";
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);
  private static final Duration ABORT_TIMEOUT = Duration.ofSeconds(10);
  private static final Map<String, String> ARCHIVES =
      Map.of("amd64", "x86_64", "x86_64", "x86_64", "aarch64", "arm_64");

  private static final String WATCHDOG =
      """
      exec 3<&0; exec </dev/null
      "$@" & pg=$!
      trap 'kill -INT $pg' INT TERM
      ( cat >/dev/null; kill -INT $pg ) <&3 &
      w=$!
      wait $pg; rc=$?
      while kill -0 $pg 2>/dev/null; do wait $pg; rc=$?; done
      kill $w 2>/dev/null
      exit $rc
      """;

  private final Path folder;
  private final Path data;
  private final Path log;
  private final FolderLock lock;
  private final String password;
  private final int port;
  private final List<String> command;

  // Written by the starting thread, then by the supervising one; guarded by this.
  private Process process;
  private boolean closed;

  private EmbeddedPostgres(Path folder, FolderLock lock) throws IOException, InterruptedException {
    this.folder = folder;
    this.lock = lock;
    requireNoneOfAnotherMajor(folder);
    data = folder.resolve("data-" + MAJOR);
    log = folder.resolve("data-" + MAJOR + ".log");
    Path passwordFile = folder.resolve("data-" + MAJOR + ".password");
    password = password(passwordFile);
    Path bin = unpack();
    boolean isNew = !Files.exists(data.resolve("PG_VERSION"));
    // Made aside and put in its place when it is whole: the power may go meanwhile.
    Path made = isNew ? folder.resolve("data-" + MAJOR + ".new") : data;
    if (isNew) {
      deleteTree(made);
    }
    List<String> prefix = userPrefix(passwordFile, made);
    if (isNew) {
      initialise(bin, prefix, passwordFile, made);
      deleteTree(data);
      Files.move(made, data);
    }
    stopOrphan();
    port = freePort();
    command = command(bin, prefix);
    process = launch();
  }

  /// Starts the server of a folder, making it first where there is none.
  ///
  /// @param folder holds binaries, data, password and log; one process at a time may use it
  /// @throws EspalierException with one sentence: `WRONG_STATE` when another process uses the
  ///   folder, `DATABASE_AWAY` when it cannot be started
  public static EmbeddedPostgres start(Path folder) {
    FolderLock lock = null;
    try {
      Files.createDirectories(folder);
      lock = FolderLock.take(folder.resolve("data-" + MAJOR + ".lock"));
      var server = new EmbeddedPostgres(folder.toRealPath(), lock);
      server.awaitReady();
      server.createDatabase();
      Thread.ofVirtual().name("postgres-supervisor").start(server::supervise);
      return server;
    } catch (IOException | SQLException | EspalierException e) {
      release(lock);
      if (e instanceof EspalierException known) {
        throw known;
      }
      throw new EspalierException(
          ErrorCode.DATABASE_AWAY,
          "the embedded PostgreSQL in " + folder + " cannot be started: " + e.getMessage(),
          e);
    } catch (InterruptedException e) {
      release(lock);
      Thread.currentThread().interrupt();
      throw new EspalierException(
          ErrorCode.DATABASE_AWAY, "interrupted while PostgreSQL was starting", e);
    }
  }

  /// {@return the JDBC URL of the database, without user and password}
  public String url() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + DATABASE;
  }

  public String user() {
    return USER;
  }

  public String password() {
    return password;
  }

  /// {@return the process that PostgreSQL runs below}
  synchronized Process process() {
    return process;
  }

  @Override
  public void close() {
    Process last;
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      last = process;
    }
    stop(last);
    release(lock);
  }

  private void stop(Process last) {
    try {
      // End of file on the pipe: the shell asks PostgreSQL for a fast shutdown.
      last.getOutputStream().close();
      if (!last.waitFor(STOP_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        LOG.warn("event=postgres-stop-timeout seconds={}", STOP_TIMEOUT.toSeconds());
        last.descendants().forEach(ProcessHandle::destroyForcibly);
        last.destroyForcibly();
      }
    } catch (IOException e) {
      LOG.warn("event=postgres-stop-failed message={}", e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void supervise() {
    try {
      while (true) {
        int status = process().waitFor();
        // A server that cannot live must not be restarted in a busy loop.
        Thread.sleep(300);
        synchronized (this) {
          if (closed) {
            return;
          }
          LOG.warn("event=postgres-ended status={} action=restart", status);
          startAgain();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void startAgain() throws InterruptedException {
    try {
      stopOrphan();
      process = launch();
    } catch (IOException | NumberFormatException e) {
      LOG.error("event=postgres-restart-failed message={} action=try-again", e.getMessage());
    }
  }

  private static void release(@org.jspecify.annotations.Nullable FolderLock lock) {
    if (lock != null) {
      lock.close();
    }
  }

  private static String password(Path file) throws IOException {
    if (!Files.exists(file)) {
      byte[] random = new byte[24];
      new SecureRandom().nextBytes(random);
      Path fresh = file.resolveSibling(file.getFileName() + ".new");
      Files.deleteIfExists(fresh);
      Files.createFile(
          fresh,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(fresh, Base64.getUrlEncoder().withoutPadding().encodeToString(random));
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
    }
    return Files.readString(file).strip();
  }

  /// {@return why there is none for this machine, one sentence; empty when there is}
  public static Optional<String> refusal() {
    String machine = System.getProperty("os.arch");
    boolean exists = System.getProperty("os.name").equals("Linux") && ARCHIVES.containsKey(machine);
    return exists
        ? Optional.empty()
        : Optional.of(
            "there is no embedded PostgreSQL for "
                + System.getProperty("os.name")
                + " on "
                + machine
                + "; name a database with ESPALIER_DATABASE_URL");
  }

  /// {@return whether a server was started in this folder before}
  public static boolean hasData(Path folder) {
    return Files.exists(folder.resolve("data-" + MAJOR).resolve("PG_VERSION"));
  }

  /// PostgreSQL reads the files of its own major version alone. To make new ones beside them would
  /// look as if all jobs were lost.
  private static void requireNoneOfAnotherMajor(Path folder) throws IOException {
    if (hasData(folder)) {
      return;
    }
    try (var found = Files.newDirectoryStream(folder, "data-*")) {
      for (Path other : found) {
        Path version = other.resolve("PG_VERSION");
        if (!other.endsWith("data-" + MAJOR + ".new") && Files.exists(version)) {
          throw new EspalierException(
              ErrorCode.WRONG_STATE,
              ("%s was written by PostgreSQL %s, and this server brings PostgreSQL %s, which cannot"
                      + " read it. Start the version before, dump its database, and load it into a"
                      + " PostgreSQL of yours (docs/SERVER.md, Upgrading); or move the folder away,"
                      + " to begin without its jobs. Nothing was changed.")
                  .formatted(other, Files.readString(version).strip(), MAJOR));
        }
      }
    }
  }

  private Path unpack() throws IOException {
    refusal()
        .ifPresent(reason -> {
          throw new EspalierException(ErrorCode.DATABASE_AWAY, reason);
        });
    String archive = ARCHIVES.get(System.getProperty("os.arch"));
    Path home = folder.resolve("postgresql-" + VERSION);
    if (Files.exists(home.resolve(".complete"))) {
      return home.resolve("bin");
    }
    Path fresh = folder.resolve("postgresql-" + VERSION + "-" + ProcessHandle.current().pid());
    try (InputStream in =
        EmbeddedPostgres.class.getResourceAsStream("/postgres-linux-" + archive + ".txz")) {
      if (in == null) {
        throw new IOException("the binaries for " + archive + " are not on the class path");
      }
      untar(in, fresh);
    }
    Files.createFile(fresh.resolve(".complete"));
    deleteTree(home);
    Files.move(fresh, home);
    return home.resolve("bin");
  }

  private static void untar(InputStream in, Path target) throws IOException {
    try (var tar = new TarArchiveInputStream(new XZInputStream(new BufferedInputStream(in)))) {
      TarArchiveEntry entry;
      while ((entry = tar.getNextEntry()) != null) {
        Path file = target.resolve(entry.getName()).normalize();
        if (!file.startsWith(target)) {
          throw new IOException("archive entry outside of the archive: " + entry.getName());
        }
        if (entry.isDirectory()) {
          Files.createDirectories(file);
          continue;
        }
        Files.createDirectories(file.getParent());
        if (entry.isSymbolicLink()) {
          Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
        } else {
          Files.copy(tar, file);
          if ((entry.getMode() & 0100) != 0 && !file.toFile().setExecutable(true, false)) {
            throw new IOException("cannot make executable: " + file);
          }
        }
      }
    }
  }

  private static void deleteTree(Path tree) throws IOException {
    if (!Files.exists(tree)) {
      return;
    }
    try (var files = Files.walk(tree)) {
      for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  /// PostgreSQL refuses to run as root; a user namespace or another user gets around that.
  private static List<String> userPrefix(Path passwordFile, Path data)
      throws IOException, InterruptedException {
    if (!"root".equals(System.getProperty("user.name"))) {
      return List.of();
    }
    if (succeeds("unshare", "-U", "true")) {
      return List.of("unshare", "-U");
    }
    if (!succeeds("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "true")) {
      throw new EspalierException(
          ErrorCode.DATABASE_AWAY,
          "PostgreSQL does not run as root and neither unshare nor setpriv works here; start the"
              + " server as another user, or name a database with ESPALIER_DATABASE_URL");
    }
    Files.createDirectories(data);
    run(List.of("chown", "-R", "65534:65534", data.toString(), passwordFile.toString()));
    return List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--");
  }

  private static void initialise(Path bin, List<String> prefix, Path passwordFile, Path data)
      throws IOException, InterruptedException {
    var arguments = new ArrayList<>(prefix);
    arguments.addAll(
        List.of(
            bin.resolve("initdb").toString(),
            "-D",
            data.toString(),
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "--pwfile=" + passwordFile,
            "-E",
            "UTF8",
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            "--data-checksums"));
    run(arguments);
  }

  /// Ends a PostgreSQL that outlived its process, and removes a pid file that names a stranger.
  private void stopOrphan() throws IOException, InterruptedException {
    Path file = data.resolve("postmaster.pid");
    if (!Files.exists(file)) {
      return;
    }
    List<String> lines = Files.readAllLines(file);
    if (lines.isEmpty()) {
      Files.delete(file);
      return;
    }
    String number = lines.getFirst().strip();
    if (!number.matches("[1-9][0-9]{0,17}")) {
      // PostgreSQL does not start beside a file that it cannot read; that nobody uses the data it
      // finds out by itself, too, from their shared memory.
      LOG.warn("event=postgres-stale-pid pid={} action=delete", PrintableText.of(number));
      Files.delete(file);
      return;
    }
    long pid = Long.parseLong(number);
    var handle = ProcessHandle.of(pid);
    if (handle.isEmpty()) {
      return;
    }
    String executable = handle.get().info().command().orElse("");
    if (!executable.endsWith("/postgres") || isOfOtherData(handle.get())) {
      LOG.warn("event=postgres-stale-pid pid={} executable={}", pid, executable);
      Files.deleteIfExists(file);
      return;
    }
    LOG.warn("event=postgres-orphan pid={} action=stop", pid);
    if (!ends(handle.get(), file, "-INT", STOP_TIMEOUT)) {
      LOG.warn("event=postgres-orphan pid={} action=abort", pid);
      // One that was stopped hears nothing else; what it has not written its log brings back.
      signal(handle.get(), "-QUIT");
      if (!ends(handle.get(), file, "-CONT", ABORT_TIMEOUT)) {
        throw new IOException(
            "PostgreSQL process "
                + pid
                + " holds the data and does not end; end it with kill -QUIT "
                + pid
                + " and start again");
      }
    }
  }

  /// {@return whether a process ends within a time of being sent a signal}
  private static boolean ends(ProcessHandle postgres, Path file, String signal, Duration patience)
      throws IOException, InterruptedException {
    signal(postgres, signal);
    long end = System.nanoTime() + patience.toNanos();
    while (postgres.isAlive() && Files.exists(file)) {
      if (System.nanoTime() > end) {
        return false;
      }
      Thread.sleep(20);
    }
    return true;
  }

  private static void signal(ProcessHandle process, String signal)
      throws IOException, InterruptedException {
    try {
      run(List.of("kill", signal, Long.toString(process.pid())));
    } catch (IOException failure) {
      // It may have ended just now.
      if (process.isAlive()) {
        throw failure;
      }
    }
  }

  /// A number may have gone to another PostgreSQL since, whose folder is another one.
  private boolean isOfOtherData(ProcessHandle postgres) {
    return postgres
        .info()
        .arguments()
        .map(List::of)
        .filter(arguments -> !arguments.contains(data.toString()))
        .isPresent();
  }

  private List<String> command(Path bin, List<String> prefix)
      throws IOException, InterruptedException {
    var arguments = new ArrayList<String>();
    // A session of its own: Ctrl-C in the terminal must reach this process only, which then ends
    // PostgreSQL last.
    if (succeeds("setsid", "true")) {
      arguments.add("setsid");
    }
    arguments.addAll(List.of("sh", "-c", WATCHDOG, "espalier-postgres"));
    arguments.addAll(prefix);
    arguments.addAll(
        List.of(
            bin.resolve("postgres").toString(),
            "-D",
            data.toString(),
            "-p",
            Integer.toString(port),
            "-k",
            "",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "max_connections=60",
            "-c",
            "timezone=UTC"));
    return List.copyOf(arguments);
  }

  /// {@return the file that it appends to}
  public Path log() {
    return log;
  }

  private Process launch() throws IOException {
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
        .start();
  }

  /// Asks the server itself: its pid file says "ready" while recovery still runs.
  private void awaitReady() throws IOException, InterruptedException {
    long end = System.nanoTime() + START_TIMEOUT.toNanos();
    while (true) {
      try (var connection = connect("postgres")) {
        if (connection.isValid(5)) {
          return;
        }
      } catch (SQLException e) {
        if ("28P01".equals(e.getSQLState())) {
          stop(process);
          throw new IOException(
              "its password file does not fit its data; restore " + data + ".password", e);
        }
        if (!process.isAlive()) {
          throw new IOException("it ended at once; its log is " + log, e);
        }
        if (System.nanoTime() > end) {
          stop(process);
          throw new IOException(
              "it was not ready after " + START_TIMEOUT.toSeconds() + " s; its log is " + log, e);
        }
      }
      Thread.sleep(20);
    }
  }

  private void createDatabase() throws SQLException {
    try (var connection = connect("postgres");
        var statement = connection.createStatement()) {
      boolean exists;
      try (var found =
          statement.executeQuery("select 1 from pg_database where datname = '" + DATABASE + "'")) {
        exists = found.next();
      }
      if (!exists) {
        statement.execute("create database " + DATABASE);
      }
    }
  }

  private java.sql.Connection connect(String database) throws SQLException {
    var properties = new Properties();
    properties.setProperty("user", USER);
    properties.setProperty("password", password);
    properties.setProperty("loginTimeout", "10");
    return DriverManager.getConnection(
        "jdbc:postgresql://127.0.0.1:" + port + "/" + database, properties);
  }

  private static int freePort() throws IOException {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static boolean succeeds(String... command) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static void run(List<String> command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output;
    try (InputStream in = process.getInputStream()) {
      output = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    if (process.waitFor() != 0) {
      throw new IOException(
          Path.of(command.getFirst()).getFileName() + " failed: " + output.strip());
    }
  }
}
