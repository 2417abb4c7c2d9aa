package dev.espalier.cli;

import dev.espalier.api.rest.TokenView;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier token`.
@Command(
    name = "token",
    description = "Makes, lists and revokes API tokens.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {"  espalier token create laptop", "  espalier token list"})
final class TokenCommands extends CommandGroup {
  private final Invocation invocation;

  TokenCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "create",
      description = "Makes a token and prints it, once.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier token create laptop > laptop.token"})
  int create(
      @Parameters(paramLabel = "NAME", description = "Who or what will use it.") String name) {
    JsonNode answer = invocation.client().post("/tokens", Map.of("name", name));
    return invocation.show(answer, () -> List.of(answer.path("token").asString("")));
  }

  @Command(
      name = "list",
      description = "Lists tokens; the tokens themselves are not kept.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier token list"})
  int list() {
    List<JsonNode> items = invocation.client().items("/tokens");
    return invocation.list(
        items,
        "No tokens.",
        () -> {
          var table =
              new Table("id", "name", "made", "last used", "revoked").sparing("made", "revoked");
          for (JsonNode item : items) {
            TokenView token = Json.as(item, TokenView.class);
            table.row(
                token.id(),
                token.name(),
                Words.day(token.createTime()),
                Words.day(token.lastUseTime()),
                Words.day(token.revokeTime()));
          }
          return table;
        });
  }

  @Command(
      name = "revoke",
      description = "Makes a token useless.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier token revoke tok_0198f3"})
  int revoke(@Parameters(paramLabel = "TOKEN", description = "Id of the token.") String token) {
    invocation.client().delete("/tokens/" + TunerClient.segment(token));
    return invocation.show(Json.tree(Map.of("id", token)), () -> List.of("Revoked " + token + "."));
  }
}
