package dev.espalier.cli;

import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import tools.jackson.databind.JsonNode;

/// `espalier sign-in`.
@Command(
    name = "sign-in",
    description = "Prints a link that signs a browser in to the dashboard, once.",
    footerHeading = "%nExamples:%n",
    footer = "  espalier sign-in")
final class SignInCommand implements Callable<Integer> {
  private final Invocation invocation;

  SignInCommand(Invocation invocation) {
    this.invocation = invocation;
  }

  @Override
  public Integer call() {
    String link = link(invocation.client());
    return invocation.show(Json.tree(Map.of("link", link)), () -> List.of(link));
  }

  static String link(TunerClient client) {
    JsonNode answer = client.post("/sign-in-codes");
    return client.base() + "/sign-in?code=" + TunerClient.segment(answer.path("code").asString(""));
  }
}
