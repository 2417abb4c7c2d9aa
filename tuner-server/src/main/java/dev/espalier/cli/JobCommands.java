package dev.espalier.cli;

import dev.espalier.api.model.PolicyName;
import dev.espalier.api.rest.BillView;
import dev.espalier.api.rest.DecisionView;
import dev.espalier.api.rest.JobDefaults;
import dev.espalier.api.rest.JobSpec;
import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.PrintableText;
import dev.espalier.api.rest.ScheduleView;
import dev.espalier.api.rest.SnapshotView;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Words;
import dev.espalier.cli.watch.Epochs;
import dev.espalier.cli.watch.JobBoard;
import dev.espalier.cli.watch.JobSummary;
import dev.espalier.cli.watch.JobWatch;
import dev.espalier.cli.watch.JobsLeftRunning;
import dev.espalier.tuner.replay.Recording;
import dev.espalier.tuner.replay.Replay;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier job`.
@Command(
    name = "job",
    description = "Submits, lists, watches and ends jobs.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier job submit job.yaml --follow", "  espalier job watch latest"})
final class JobCommands extends CommandGroup {
  private static final int FIRST_DECISIONS = 8;
  private final Invocation invocation;

  JobCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  /// What `job submit` takes.
  static final class SubmitOptions {
    @Parameters(
        paramLabel = "FILE",
        description = "Job file in YAML or JSON; - reads from standard input.")
    Path file = Path.of("-");

    @Option(names = "--follow", description = "Watch the job until it ends.")
    boolean follow;

    @Option(
        names = "--dry-run",
        description =
            "Only check the file, see whether a worker can open it, and show what it comes to.")
    boolean dryRun;

    @Option(
        names = "--idempotency-key",
        paramLabel = "KEY",
        description = "A second submission with the same key makes no second job.")
    @Nullable String idempotencyKey;

    @Option(names = "--name", paramLabel = "NAME", description = "In place of the file's name.")
    @Nullable String name;

    @Option(names = "--data", paramLabel = "DIR", description = "In place of the file's data.")
    @Nullable String data;

    @Option(names = "--seed", paramLabel = "N", description = "In place of the file's seed.")
    @Nullable Long seed;

    Map<String, Object> document(Invocation invocation) {
      Map<String, Object> document = invocation.readJobFile(file);
      if (name != null) {
        document.put("name", name);
      }
      if (data != null) {
        document.put("data", data);
      }
      if (seed != null) {
        document.put("seed", seed);
      }
      return document;
    }
  }

  @Command(
      name = "submit",
      description = "Submits a job file; docs/JOB_FILE.md describes it.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier job submit job.yaml --follow",
        "  espalier job submit job.yaml --dry-run -o yaml",
        "  espalier job submit - --name night-run < job.yaml"
      })
  int submit(@Mixin SubmitOptions options) throws InterruptedException {
    TunerClient client = invocation.client();
    Map<String, Object> document = options.document(invocation);
    if (options.dryRun) {
      return ConfigCommands.show(invocation, ConfigCommands.check(client, document));
    }
    String key = options.idempotencyKey;
    JsonNode answer =
        client.post(
            "/jobs",
            document,
            Map.of("Idempotency-Key", key == null ? UUID.randomUUID().toString() : key));
    ConfigCommands.warnOfKeys(invocation, document);
    String id = answer.path("id").asString("");
    if (!options.follow) {
      return invocation.show(
          answer,
          () -> List.of("Submitted " + id + ".", "Watch it with: espalier job watch " + id));
    }
    invocation.progress().line("Submitted " + id + ".");
    return follow(client, id);
  }

  @Command(
      name = "list",
      description = "Lists jobs, newest first.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job list", "  espalier job list --state TRAINING -o json"})
  int list(
      @Option(
              names = "--state",
              paramLabel = "STATE",
              split = ",",
              description = "Only jobs in this state, or in one of several with commas between.")
          @Nullable List<String> state) {
    String filter =
        state == null
            ? ""
            : state.stream()
                .map(one -> "&state=" + TunerClient.segment(one.strip().toUpperCase(Locale.ROOT)))
                .collect(Collectors.joining());
    List<JsonNode> items = invocation.client().items("/jobs?pageSize=200" + filter);
    return invocation.list(
        items,
        state == null
            ? "No jobs. Submit one with: espalier job submit FILE"
            : "No jobs in this state.",
        () -> {
          var table =
              new Table("id", "name", "program", "state", "epoch", "loss", "tuning", "age")
                  .sparing("program", "tuning", "age", "loss", "epoch");
          Instant now = Instant.now();
          for (JsonNode item : items) {
            JobView job = Json.as(item, JobView.class);
            table.row(
                job.id(),
                job.name(),
                job.program(),
                job.state() + (job.stall() == null ? "" : ", stands still"),
                Epochs.inWords(job),
                Words.number(job.loss()),
                Words.percent(job.tuningShare()),
                Words.age(job.createTime(), now));
          }
          return table;
        });
  }

  @Command(
      name = "describe",
      description = "Shows a job: state, setting, quality, time.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job describe latest"})
  int describe(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    TunerClient client = invocation.client();
    String path = invocation.jobPath(job);
    JsonNode answer = client.get(path);
    return invocation.show(
        answer,
        () -> {
          JobView view = Json.as(answer, JobView.class);
          Table table = JobSummary.describe(view);
          if (!view.state().isTerminal()) {
            stalls(client, path).forEach(stall -> table.row("stalls", stall));
          }
          Optional.ofNullable(view.result())
              .ifPresent(result ->
                  JobSummary.addResult(
                      table,
                      view,
                      result,
                      client.all(path + "/snapshots?pageSize=1000", SnapshotView.class),
                      client.get(path + "/schedule", ScheduleView.class)));
          priors(client, path).forEach(decision -> table.row("prior", decision.outcome()));
          if (view.state().isTerminal() && view.branches() > 1) {
            bill(client, path).ifPresent(bill -> JobSummary.addBill(table, bill));
          }
          return table.lines();
        });
  }

  private static List<String> stalls(TunerClient client, String path) {
    return client.items(path + "/workers").stream()
        .filter(worker -> worker.path("stall").isString())
        .map(worker ->
            "worker " + worker.path("worker").asInt() + ": " + worker.path("stall").asString())
        .toList();
  }

  @Command(
      name = "watch",
      description = "Follows a job until it ends; Ctrl-C stops watching, not the job.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job watch latest", "  espalier job watch latest | tee job.log"})
  int watch(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job)
      throws InterruptedException {
    return follow(invocation.client(), invocation.jobId(job));
  }

  @Command(
      name = "replay",
      description =
          "Gives the recorded events of a job to the policy of this version, and says whether it"
              + " decides the same; if not, shows which decisions differ, the first of them whole."
              + " Exits with 0 when all are the same, with 10 when not.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier job replay latest",
        "  espalier job replay latest --save job.ndjson",
        "  espalier job replay job.ndjson"
      })
  int replay(
      @Parameters(
              paramLabel = "JOB",
              description = Invocation.JOB + " Or a file that --save wrote.")
          String job,
      @Option(
              names = "--policy",
              paramLabel = "NAME",
              description = "Ask this policy in place of the job's own.")
          @Nullable String policy,
      @Option(
              names = "--save",
              paramLabel = "FILE",
              description = "Also write the recording to a file.")
          @Nullable Path save,
      @Option(
              names = "--differences",
              paramLabel = "N",
              defaultValue = "20",
              description = "Show so many decisions that differ (default: ${DEFAULT-VALUE}).")
          int differences) {
    requireAtLeastOne("--differences", differences);
    if (policy != null && !PolicyName.ALL.contains(policy)) {
      throw new CommandFailure(
          ExitStatus.USAGE, "--policy must be one of " + PolicyName.ALL + " but is " + policy);
    }
    Recording recording = JobReplay.recording(job, Optional.ofNullable(save), invocation);
    return JobReplay.show(
        policy == null ? Replay.of(recording) : Replay.of(recording, policy),
        differences,
        invocation);
  }

  @Command(
      name = "bill",
      description =
          "Shows what random search over the settings that a job tried would have cost, from its"
              + " measured speeds, with the assumptions.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job bill latest"})
  int bill(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    JsonNode answer = invocation.client().get(invocation.jobPath(job) + "/bill");
    return invocation.show(answer, () -> JobSummary.bill(Json.as(answer, BillView.class)));
  }

  /// What earlier jobs found is said when a job begins.
  private static List<DecisionView> priors(TunerClient client, String path) {
    return client
        .get(path + "/decisions?pageSize=" + FIRST_DECISIONS)
        .path("items")
        .valueStream()
        .map(item -> Json.as(item, DecisionView.class))
        .filter(decision -> decision.rule().equals("racing.prior"))
        .toList();
  }

  /// {@return the bill; empty where the program is not there any more that says what is good}
  private static Optional<BillView> bill(TunerClient client, String path) {
    try {
      return Optional.of(client.get(path + "/bill", BillView.class));
    } catch (CommandFailure unknown) {
      return Optional.empty();
    }
  }

  @Command(
      name = "compare",
      description =
          "Runs one job file under several policies, and shows how long each took to the best"
              + " quality that all reached. No job learns from another: warmStart is off.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier job compare job.yaml --policies racing,fixed,asha --max-time 2m",
        "  espalier job compare job.yaml --policies racing,mltuner:gp --seeds 3 -o json"
      })
  int compare(@Mixin CompareOptions options) throws InterruptedException {
    TunerClient client = invocation.client();
    requireAtLeastOne("--seeds", options.seeds);
    requireAtLeastOne("--parallel", options.parallel);
    var entries =
        JobComparison.entries(
            invocation.readJobFile(options.file),
            JobComparison.policies(options.policies),
            options.seeds,
            options.maxTime);
    var comparison = new JobComparison(client, invocation.progress());
    comparison.check(entries);
    List<JobComparison.Course> courses;
    try (var running = new JobsLeftRunning(invocation.err())) {
      courses = comparison.run(entries, options.parallel, running);
    }
    var outcome = comparison.judge(courses);
    invocation.show(Json.tree(outcome.document()), () -> outcome.lines(client.base().toString()));
    return outcome.status();
  }

  private static void requireAtLeastOne(String option, int value) {
    if (value < 1) {
      throw new CommandFailure(ExitStatus.USAGE, option + " must be >= 1 but is " + value);
    }
  }

  /// What `job compare` takes.
  static final class CompareOptions {
    @Parameters(
        paramLabel = "FILE",
        description = "Job file in YAML or JSON; - reads from standard input.")
    Path file = Path.of("-");

    @Option(
        names = "--policies",
        paramLabel = "LIST",
        defaultValue = JobDefaults.POLICY + ",fixed,asha,random",
        description =
            "Policies with commas between them, each NAME or NAME:SEARCHER"
                + " (default: ${DEFAULT-VALUE}).")
    String policies = "";

    @Option(
        names = "--seeds",
        paramLabel = "N",
        defaultValue = "1",
        description = "Jobs per policy, with seeds from the file's on (default: ${DEFAULT-VALUE}).")
    int seeds = 1;

    @Option(
        names = "--max-time",
        paramLabel = "TIME",
        defaultValue = "",
        description = "In place of the file's stop.maxTime, such as 90s or 10m.")
    String maxTime = "";

    @Option(
        names = "--parallel",
        paramLabel = "N",
        defaultValue = "1",
        description =
            "Jobs at a time (default: ${DEFAULT-VALUE}). More than one disturbs times that are"
                + " measured, not those of a cost model.")
    int parallel = 1;
  }

  @Command(
      name = "pause",
      description = "Lets a job rest after the clocks that are scheduled.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job pause latest"})
  int pause(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    return ask(job, "pause", "Pausing");
  }

  @Command(
      name = "resume",
      description = "Lets a paused job go on.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job resume latest"})
  int resume(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    return ask(job, "resume", "Resuming");
  }

  @Command(
      name = "cancel",
      description = "Ends a job in good order: finishes what is scheduled, writes a checkpoint.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job cancel latest"})
  int cancel(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    return ask(job, "cancel", "Canceling");
  }

  @Command(
      name = "kill",
      description = "Ends a job now.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job kill latest"})
  int kill(@Parameters(paramLabel = "JOB", description = Invocation.JOB) String job) {
    return ask(job, "kill", "Killing");
  }

  @Command(
      name = "delete",
      description = "Removes jobs that have ended, with their checkpoints and logs, for good.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job delete job_0198f3 --yes"})
  int delete(
      @Parameters(paramLabel = "JOB", arity = "1..*", description = Invocation.JOB)
          List<String> jobs,
      @Option(names = "--yes", description = "Removes them; without it they are only named.")
          boolean yes) {
    List<JobView> found =
        jobs.stream()
            .map(job -> invocation.client().get(invocation.jobPath(job), JobView.class))
            .toList();
    if (!yes) {
      throw new CommandFailure(
          ExitStatus.USAGE,
          "nothing was deleted; --yes deletes for good "
              + found.stream()
                  .map(job -> job.id() + " (" + job.name() + ", " + job.state() + ")")
                  .collect(Collectors.joining(", ")));
    }
    var deleted = new ArrayList<JobView>();
    try {
      for (JobView job : found) {
        invocation.client().delete(invocation.jobPath(job.id()));
        deleted.add(job);
      }
    } finally {
      invocation.show(
          Json.tree(deleted),
          () -> deleted.stream().map(job -> "Deleted " + job.id() + ".").toList());
    }
    return ExitStatus.OK.code();
  }

  @Command(
      name = "logs",
      description = "Shows what the workers of a job wrote; -o json has a list of its lines.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier job logs latest --tail 50"})
  int logs(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(
              names = "--tail",
              paramLabel = "N",
              defaultValue = "200",
              description = "Lines per worker (default: ${DEFAULT-VALUE}).")
          int tail) {
    String text = invocation.client().text(invocation.jobPath(job) + "/logs?tail=" + tail);
    if (!invocation.isTable()) {
      return invocation.show(Json.tree(text.lines().toList()), List::of);
    }
    Terminal terminal = invocation.terminal();
    if (text.isEmpty()) {
      invocation.err().println(whyNothingIsLogged(job));
    }
    // A file gets each byte; a terminal would obey what a program wrote.
    terminal.out().print(terminal.isLive() ? PrintableText.of(text) : text);
    terminal.out().flush();
    return ExitStatus.OK.code();
  }

  private String whyNothingIsLogged(String job) {
    JobView view = invocation.client().get(invocation.jobPath(job), JobView.class);
    return view.launch() == JobSpec.Launch.EXTERNAL
        ? "Its workers come by themselves: what they write is where they were started."
        : "Its workers have written nothing.";
  }

  private int ask(String job, String action, String doing) {
    JsonNode answer = invocation.client().post(invocation.jobPath(job) + "/" + action);
    return invocation.show(
        answer,
        () ->
            List.of(
                doing
                    + " "
                    + answer.path("id").asString(job)
                    + "; it is "
                    + answer.path("state").asString("?")
                    + "."));
  }

  private int follow(TunerClient client, String id) throws InterruptedException {
    JobBoard board;
    try (var followed = new JobsLeftRunning(invocation.err())) {
      followed.begun(id);
      board = new JobWatch(client, invocation.progress(), id).follow();
    }
    invocation.show(Json.tree(board.job()), () -> JobSummary.end(board, invocation.terminal()));
    return JobWatch.statusOf(board.job()).code();
  }
}
