package dev.espalier.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.screen.Output;
import dev.espalier.cli.screen.Terminal;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Help.Ansi;

/// `docs/CLI.md` is what `--help` says. `-Dupdate.docs=true` writes it.
final class CommandDocumentTest {
  private static final Path FILE =
      Path.of(System.getProperty("espalier.home.dist"), "docs", "CLI.md");

  private static CommandLine root() {
    return Espalier.commandLine(
        new Invocation(
            Map.of("NO_COLOR", "1"),
            InputStream.nullInputStream(),
            Output.ofProcess(),
            System.err,
            noColour -> Terminal.plain(System.out)));
  }

  private static List<CommandLine> all(CommandLine line) {
    var lines = new ArrayList<CommandLine>();
    lines.add(line);
    line.getSubcommands().values().forEach(below -> lines.addAll(all(below)));
    return lines;
  }

  @Test
  void everyCommandHasADescriptionAndExamples() {
    for (CommandLine line : all(root())) {
      String help = line.getUsageMessage(Ansi.OFF);
      assertThat(help)
          .contains("Examples:\n  ")
          .contains("-h, --help")
          .contains("--token-file=FILE");
      assertThat(line.getCommandSpec().usageMessage().description()).isNotEmpty();
    }
  }

  @Test
  void documentIsWhatHelpSays() throws IOException {
    String expected = document();
    if (Boolean.getBoolean("update.docs")) {
      Files.writeString(FILE, expected);
    }

    assertThat(Files.readString(FILE))
        .as("run this test with -Dupdate.docs=true to write it")
        .isEqualTo(expected);
  }

  private static String document() {
    var text = new StringBuilder();
    text.append("# The command line\n\n");
    text.append(
        """
        This page is made from the commands' own `--help`; a test keeps it so.

        `JOB` is the id of a job, the beginning of that, its name where no other job has it, or `latest` for the newest one. `-o json` and `-o yaml` show what the server
        answered, for programs; tables are for people and may change. Where the output is piped there are no
        colours, and `job watch` writes lines in place of its picture; with `-o json` or `-o yaml` these go to
        standard error, and the job as it ended to standard output. Errors go to standard error, in words;
        `ESPALIER_DEBUG=1` adds where they come from.

        ## Environment

        | variable | meaning |
        |---|---|
        | `ESPALIER_SERVER` | address of the server; default `http://127.0.0.1:7070` |
        | `ESPALIER_TOKEN` | the token; default, for a server that is asked as `localhost` or by a loopback address: the file `token` in `ESPALIER_HOME` |
        | `ESPALIER_HOME` | folder of the server on this machine; default `~/.espalier` |
        | `ESPALIER_CA` | PEM file with the authority that signed the certificate of a server with `https`, or with that certificate itself; it takes the place of the public authorities that Java trusts |
        | `NO_COLOR` | when not empty, no colours |
        | `ESPALIER_DEBUG` | when not empty, errors show where they come from |

        ## Exit codes

        | code | meaning |
        |---|---|
        """);
    for (ExitStatus status : ExitStatus.values()) {
      text.append("| ").append(status.code()).append(" | ").append(status.meaning()).append(" |\n");
    }
    text.append("\n## Commands\n");
    for (CommandLine line : all(root())) {
      text.append("\n### ").append(line.getCommandSpec().qualifiedName()).append("\n\n```\n");
      text.append(line.getUsageMessage(Ansi.OFF)).append("```\n");
    }
    return text.toString();
  }
}
