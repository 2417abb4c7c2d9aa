package dev.espalier.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Options that every command takes.
final class GlobalOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      order = 100,
      description = "Show this help.")
  boolean help;

  @Option(
      names = "--server",
      paramLabel = "URL",
      scope = ScopeType.INHERIT,
      order = 90,
      description = "Address of the server (ESPALIER_SERVER; default: http://127.0.0.1:7070).")
  @Nullable String server;

  @Option(
      names = "--token-file",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      order = 91,
      description =
          "File that holds the token (default: ESPALIER_TOKEN, else the file token in"
              + " ESPALIER_HOME, else ~/.espalier/token).")
  @Nullable Path tokenFile;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      scope = ScopeType.INHERIT,
      order = 92,
      defaultValue = "table",
      description = "table, json or yaml (default: table).")
  OutputFormat output = OutputFormat.TABLE;

  @Option(
      names = "--no-color",
      scope = ScopeType.INHERIT,
      order = 93,
      description = "No colours (also NO_COLOR, and always where the output is piped).")
  boolean noColor;

  /// How answers are written.
  enum OutputFormat {
    TABLE,
    JSON,
    YAML
  }
}
