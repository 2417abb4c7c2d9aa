package dev.espalier.cli;

import dev.espalier.api.model.Version;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.Json;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/// `espalier version`.
@Command(
    name = "version",
    description = "Shows the version of this command line, and of the server when it answers.",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier version", "  espalier version -o json"})
final class VersionCommand implements Callable<Integer> {
  private final Invocation invocation;

  VersionCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    var versions = new LinkedHashMap<String, String>();
    versions.put("client", Version.CURRENT);
    versions.put("java", Runtime.version().toString());
    versions.put("server", server());
    return invocation.show(
        Json.tree(versions),
        () ->
            List.of(
                "espalier " + Version.CURRENT + " (Java " + versions.get("java") + ")",
                "server   " + versions.get("server")));
  }

  private String server() {
    try {
      JsonNode answer = invocation.client().get("/version");
      return answer.path("version").asString("?") + " at " + invocation.client().base();
    } catch (CommandFailure e) {
      return "not known: " + e.words().lines().findFirst().orElse("no answer");
    }
  }
}
