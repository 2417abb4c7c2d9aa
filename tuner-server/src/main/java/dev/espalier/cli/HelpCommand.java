package dev.espalier.cli;

import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.screen.Table;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `espalier help`.
@Command(
    name = "help",
    description = "Shows the help of a command, or what exit codes mean.",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier help job submit", "  espalier help exit-codes"})
final class HelpCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Spec CommandSpec spec = CommandSpec.create();

  @Parameters(
      paramLabel = "COMMAND",
      arity = "0..*",
      description = "A command such as job submit, or exit-codes.")
  List<String> names = List.of();

  HelpCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    if (names.equals(List.of("exit-codes"))) {
      var table = new Table("code", "meaning");
      for (ExitStatus status : ExitStatus.values()) {
        table.row(Integer.toString(status.code()), status.meaning());
      }
      invocation.terminal().lines(table.lines());
      return ExitStatus.OK.code();
    }
    CommandLine line = spec.commandLine().getParent();
    for (String name : names) {
      CommandLine next = line.getSubcommands().get(name);
      if (next == null) {
        throw new ParameterException(spec.commandLine(), "there is no command " + name);
      }
      line = next;
    }
    line.usage(invocation.out());
    return ExitStatus.OK.code();
  }
}
