package dev.espalier.cli;

import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.screen.Output;
import dev.espalier.cli.screen.Terminal;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/// The command line of Espalier.
@Command(
    name = "espalier",
    description = "Trains models and tunes their training while it runs.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier demo                          train a model under the tuner, and watch",
      "  espalier server                        start a server",
      "  espalier job submit job.yaml --follow  run a job and watch it",
      "  espalier help exit-codes               what exit codes mean"
    })
public final class Espalier implements Callable<Integer> {
  private static final int HELP_WIDTH = 100;
  // Picocli's own.
  private static final int LEAST_HELP_WIDTH = 55;

  @Mixin final GlobalOptions options;

  @Option(
      names = {"-V", "--version"},
      order = 101,
      description = "Show versions, as the command version does.")
  boolean isAskedForVersion;

  @Spec CommandSpec spec;

  private final Invocation invocation;

  private Espalier(Invocation invocation) {
    this.invocation = invocation;
    this.options = invocation.options();
    this.spec = CommandSpec.create();
  }

  /// Runs one command and ends the process with its exit code.
  public static void main(String[] arguments) {
    // All texts are English; numbers among them in digits of another language would be none.
    Locale.setDefault(Locale.ROOT);
    Output out = Output.ofProcess();
    System.setOut(out);
    int code = run(Invocation.ofProcess(out), arguments);
    System.exit(code);
  }

  /// {@return the exit code of a command}
  static int run(Invocation invocation, String... arguments) {
    CommandLine line = commandLine(invocation);
    line.setOut(new PrintWriter(invocation.out(), true, StandardCharsets.UTF_8));
    line.setErr(new PrintWriter(invocation.err(), true, StandardCharsets.UTF_8));
    int code = line.execute(arguments);
    Optional<String> failure = invocation.out().failure();
    failure.ifPresent(reason ->
        invocation.err().println("espalier: standard output cannot be written: " + reason));
    return failure.isPresent() && code == ExitStatus.OK.code() ? ExitStatus.INTERNAL.code() : code;
  }

  static CommandLine commandLine(Invocation invocation) {
    var root = new CommandLine(new Espalier(invocation));
    List.of(
            new DemoCommand(invocation),
            new ServerCommand(),
            new JobCommands(invocation),
            new BranchCommands(invocation),
            new RoundCommands(invocation),
            new ScheduleCommands(invocation),
            new CommandLine(new ModelCommands()).addSubcommand(new ModelExportCommand(invocation)),
            new SnapshotCommands(invocation),
            new EvaluationCommands(invocation),
            new DecisionCommands(invocation),
            new WorkerCommands(invocation),
            new CommandLine(new ProgramCommands(invocation))
                .addSubcommand(new ProgramCheckCommand(invocation)),
            new ConfigCommands(invocation),
            new TokenCommands(invocation),
            new SignInCommand(invocation),
            new DoctorCommand(invocation),
            new VersionCommand(invocation),
            new CompletionCommand(invocation),
            new HelpCommand(invocation))
        .forEach(root::addSubcommand);
    ownOptionsFirst(root);
    root.setCaseInsensitiveEnumValuesAllowed(true);
    root.setUsageHelpWidth(HELP_WIDTH);
    root.setUsageHelpLongOptionsMaxWidth(30);
    root.setExecutionStrategy(parsed -> {
      Terminal terminal = invocation.terminal();
      root.setColorScheme(colours(terminal));
      root.setUsageHelpWidth(Math.clamp(terminal.size().columns(), LEAST_HELP_WIDTH, HELP_WIDTH));
      return new RunLast().execute(parsed);
    });
    root.setExecutionExceptionHandler((failure, line, parsed) -> {
      int code = tell(failure, invocation);
      invocation.err().flush();
      return code;
    });
    root.setParameterExceptionHandler(Espalier::tellUsage);
    return root;
  }

  /// Help has colours where answers have, which is known once the options are.
  private static CommandLine.Help.ColorScheme colours(Terminal terminal) {
    return CommandLine.Help.defaultColorScheme(
        terminal.hasColour() ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF);
  }

  private static void ownOptionsFirst(CommandLine line) {
    line.getCommandSpec().usageMessage().sortOptions(false);
    line.getSubcommands().values().forEach(Espalier::ownOptionsFirst);
  }

  @Override
  public Integer call() {
    if (isAskedForVersion) {
      return new VersionCommand(invocation).call();
    }
    throw new ParameterException(spec.commandLine(), "a command is missing");
  }

  private static int tell(Exception failure, Invocation invocation) {
    boolean debug = !invocation.environmentOr("ESPALIER_DEBUG", "").isEmpty();
    if (debug) {
      failure.printStackTrace(invocation.err());
    }
    return switch (failure) {
      case CommandFailure known -> {
        invocation.err().println("espalier: " + known.words());
        yield known.status().code();
      }
      case InterruptedException _ -> ExitStatus.INTERRUPTED.code();
      default -> {
        invocation.err().println("espalier: this should not happen: " + failure);
        if (!debug) {
          invocation.err().println("Set ESPALIER_DEBUG=1 to see where.");
        }
        yield ExitStatus.INTERNAL.code();
      }
    };
  }

  private static int tellUsage(ParameterException failure, String[] arguments) {
    CommandLine line = failure.getCommandLine();
    PrintWriter err = line.getErr();
    err.println("espalier: " + failure.getMessage());
    UnmatchedArgumentException.printSuggestions(failure, err);
    err.println("Try: " + line.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return ExitStatus.USAGE.code();
  }
}
