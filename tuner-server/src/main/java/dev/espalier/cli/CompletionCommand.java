package dev.espalier.cli;

import dev.espalier.cli.client.ExitStatus;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `espalier completion`.
@Command(
    name = "completion",
    description = "Prints a script that completes commands and options in bash or zsh.",
    footerHeading = "%nExamples:%n",
    footer = {
      "  source <(espalier completion bash)",
      "  espalier completion zsh > ~/.zsh/_espalier.sh"
    })
final class CompletionCommand implements Callable<Integer> {
  private final Invocation invocation;

  @Parameters(
      paramLabel = "SHELL",
      arity = "0..1",
      defaultValue = "bash",
      description = "bash or zsh (default: ${DEFAULT-VALUE}).")
  Shell shell = Shell.BASH;

  CompletionCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  /// Shells with completion; one script serves both.
  enum Shell {
    BASH,
    ZSH
  }

  @Override
  public Integer call() {
    String script = AutoComplete.bash("espalier", Espalier.commandLine(invocation));
    invocation
        .out()
        .print(
            shell == Shell.ZSH ? "autoload -U +X bashcompinit && bashcompinit\n" + script : script);
    invocation.out().flush();
    return ExitStatus.OK.code();
  }
}
