package dev.espalier.cli;

import dev.espalier.api.rest.JobDefaults;
import dev.espalier.api.rest.JobView;
import dev.espalier.cli.client.Certificates;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Output;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.tuner.boot.HomeFolder;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// One run of the command line: its options, streams and environment. Used by one thread.
final class Invocation {
  /// How commands name a job.
  static final String JOB =
      "The job: its id, the beginning of that, its name if no other has it, or latest.";

  private static final String DEFAULT_SERVER = "http://127.0.0.1:7070";
  private static final String JOB_ID = "job_[0-9a-f]{22}";

  private final GlobalOptions options = new GlobalOptions();
  private final Map<String, String> environment;
  private final InputStream in;
  private final Output out;
  private final PrintStream err;
  private final Function<Boolean, Terminal> terminalOf;
  private @Nullable Terminal terminal;

  /// @param terminalOf makes the terminal of `out`, told whether colours are not wanted
  Invocation(
      Map<String, String> environment,
      InputStream in,
      Output out,
      PrintStream err,
      Function<Boolean, Terminal> terminalOf) {
    this.environment = environment;
    this.in = in;
    this.out = out;
    this.err = err;
    this.terminalOf = terminalOf;
  }

  static Invocation ofProcess(Output out) {
    Map<String, String> environment = System.getenv();
    return new Invocation(
        environment,
        System.in,
        out,
        System.err,
        noColour -> Terminal.ofProcess(out, environment, noColour));
  }

  GlobalOptions options() {
    return options;
  }

  Map<String, String> environment() {
    return environment;
  }

  Output out() {
    return out;
  }

  PrintStream err() {
    return err;
  }

  /// {@return the terminal, which is made once: it asks another process how large it is}
  ///
  /// To be asked for once the options are parsed, for one of them says whether it has colours.
  Terminal terminal() {
    Terminal made = terminal;
    if (made == null) {
      made = terminalOf.apply(options.noColor);
      terminal = made;
    }
    return made;
  }

  /// {@return where a command tells how it goes: beside an answer that a program reads}
  Terminal progress() {
    return isTable() ? terminal() : Terminal.plain(err);
  }

  TunerClient client() {
    String named = options.server;
    String server = named == null ? environmentOr("ESPALIER_SERVER", DEFAULT_SERVER) : named;
    String trusted = environmentOr(Certificates.TRUSTED, "");
    return new TunerClient(
        server,
        token(server),
        trusted.isEmpty() ? Optional.empty() : Optional.of(Path.of(trusted)));
  }

  /// {@return the folder of the server's files on this machine}
  Path home() {
    return HomeFolder.of(environment);
  }

  String environmentOr(String name, String otherwise) {
    String value = environment.getOrDefault(name, "");
    return value.isBlank() ? otherwise : value;
  }

  /// The token of the server on this machine is for no other one.
  Optional<String> token(String server) {
    Path file = options.tokenFile;
    if (file != null) {
      return Optional.of(readToken(file));
    }
    String token = environmentOr("ESPALIER_TOKEN", "");
    if (!token.isEmpty()) {
      return Optional.of(requireToken("ESPALIER_TOKEN", token));
    }
    Path ofServer = home().resolve("token");
    return TunerClient.isOnThisMachine(server) && Files.isReadable(ofServer)
        ? Optional.of(readToken(ofServer))
        : Optional.empty();
  }

  static String readToken(Path file) {
    return requireToken(file.toString(), readFile(file));
  }

  /// What is wrong with it must not be told by showing it.
  private static String requireToken(String place, String text) {
    String token = text.strip();
    if (!token.matches("[\\x21-\\x7e]{1,500}")) {
      throw new CommandFailure(
          ExitStatus.UNAUTHENTICATED, place + " must hold one token and nothing else");
    }
    return token;
  }

  static String readFile(Path file) {
    try {
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no file " + file, e);
    } catch (CharacterCodingException e) {
      throw notText(file.toString(), e);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.NOT_FOUND, file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static CommandFailure notText(String name, CharacterCodingException cause) {
    return new CommandFailure(ExitStatus.INVALID_JOB, name + " must be text in UTF-8", cause);
  }

  /// {@return the job file `file`; `-` is standard input}
  Map<String, Object> readJobFile(Path file) {
    if (!file.toString().equals("-")) {
      return Json.readDocument(file.toString(), readFile(file));
    }
    try {
      ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes());
      String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
      return Json.readDocument("standard input", text);
    } catch (CharacterCodingException e) {
      throw notText("standard input", e);
    } catch (IOException e) {
      throw new CommandFailure(
          ExitStatus.NOT_FOUND, "standard input cannot be read: " + e.getMessage(), e);
    }
  }

  /// Writes an answer in the format that was asked for.
  int show(JsonNode answer, Supplier<List<String>> lines) {
    switch (options.output) {
      case TABLE -> terminal().lines(lines.get());
      case JSON -> out().println(Json.write(answer));
      case YAML -> out().print(Json.yaml(answer));
    }
    out().flush();
    return ExitStatus.OK.code();
  }

  /// Writes a list in the format that was asked for.
  ///
  /// @param none what to say of an empty list
  int list(List<JsonNode> items, String none, Supplier<Table> table) {
    return show(
        Json.tree(items),
        () -> items.isEmpty() ? List.of(none) : table.get().lines(terminal().room()));
  }

  /// Asks for something to be done to a numbered part of a job.
  ///
  /// @param part what is numbered, `branch` or `snapshot`
  /// @param number as the user wrote it
  /// @param done what to say then, with the number and the id of the job
  int ask(String job, String part, String number, String action, String done) {
    String digits = number(part, number);
    String parts = part.equals("branch") ? "branches" : "snapshots";
    JsonNode answer = client().post(jobPath(job) + "/" + parts + "/" + digits + "/" + action);
    return show(answer, () -> List.of(done.formatted(digits, answer.path("id").asString(job))));
  }

  boolean isTable() {
    return options.output == GlobalOptions.OutputFormat.TABLE;
  }

  /// {@return `/jobs/...` of a job that the user named; see [#jobId]}
  String jobPath(String job) {
    return "/jobs/" + TunerClient.segment(jobId(job));
  }

  /// {@return the digits of a number that the user wrote as `12` or `#12`}
  ///
  /// @param what it counts
  static String number(String what, String text) {
    String number = text.replaceFirst("^#", "");
    if (!number.matches("\\d{1,9}")) {
      throw new CommandFailure(
          ExitStatus.USAGE, what + " must be a number such as 12 but is " + text);
    }
    return number;
  }

  /// {@return the id of a job that the user named by it, by how it begins, by the job's name, or as
  /// `latest`}
  String jobId(String job) {
    if (job.equals("latest")) {
      JsonNode newest = client().get("/jobs?pageSize=1").path("items").path(0);
      if (newest.isMissingNode()) {
        throw new CommandFailure(ExitStatus.NOT_FOUND, "there is no job yet");
      }
      return newest.path("id").asString("");
    }
    return job.matches(JOB_ID) ? job : only(job, named(job));
  }

  private List<JobView> named(String job) {
    if (job.isEmpty() || job.codePointCount(0, job.length()) > JobDefaults.MAX_NAME) {
      throw new CommandFailure(
          ExitStatus.USAGE,
          "job must be an id such as job_0198f3c2..., the beginning of one, a job's name, or latest"
              + " but is "
              + (job.isEmpty() ? "empty" : job));
    }
    List<JobView> begun =
        job.matches("job_.+")
            ? jobs("/jobs?pageSize=1000", view -> view.id().startsWith(job))
            : List.of();
    return begun.isEmpty()
        ? jobs(
            "/jobs?pageSize=1000&name=" + TunerClient.segment(job), view -> view.name().equals(job))
        : begun;
  }

  private List<JobView> jobs(String path, Predicate<JobView> meant) {
    return client().all(path, JobView.class).stream().filter(meant).toList();
  }

  private static String only(String job, List<JobView> found) {
    if (found.isEmpty()) {
      throw new CommandFailure(
          ExitStatus.NOT_FOUND,
          "there is no job whose id begins with "
              + job
              + " or whose name it is; espalier job list shows those that there are");
    }
    if (found.size() > 1) {
      throw new CommandFailure(
          ExitStatus.USAGE,
          "%d jobs are meant by %s, the newest of them %s: name one by its id"
              .formatted(found.size(), job, found.getFirst().id()));
    }
    return found.getFirst().id();
  }
}
