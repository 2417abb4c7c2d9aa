package dev.espalier.cli;

import dev.espalier.api.rest.BranchView;
import dev.espalier.api.rest.JobView;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Json;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Words;
import dev.espalier.cli.watch.BranchTree;
import dev.espalier.cli.watch.Probes;
import dev.espalier.cli.watch.Validations;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import tools.jackson.databind.JsonNode;

/// `espalier branch`.
@Command(
    name = "branch",
    description =
        "Shows the branches of a job, tries settings on branches of one's own, and decides a round.",
    synopsisSubcommandLabel = "COMMAND",
    footerHeading = "%nExamples:%n",
    footer = {
      "  espalier branch tree latest",
      "  espalier branch try latest --set learningRate=0.05"
    })
final class BranchCommands extends CommandGroup {
  private final Invocation invocation;

  BranchCommands(Invocation invocation) {
    this.invocation = invocation;
  }

  @Command(
      name = "tree",
      description = "Draws the branches of a job from their fork points.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier branch tree latest", "  espalier branch tree latest --all"})
  int tree(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(names = "--all", description = "Branches that were discarded too.") boolean all) {
    String path = invocation.jobPath(job);
    TunerClient client = invocation.client();
    JsonNode answer = client.get(path + "/tree");
    if (all && !answer.path("leftOut").isEmpty()) {
      answer = whole(answer, client.items(path + "/branches?pageSize=1000"));
    }
    return show(path, answer, all);
  }

  /// {@return a tree with all of its branches}
  private static JsonNode whole(JsonNode tree, List<JsonNode> branches) {
    var whole = new LinkedHashMap<String, JsonNode>();
    tree.properties().forEach(entry -> whole.put(entry.getKey(), entry.getValue()));
    whole.put("branches", Json.tree(branches));
    whole.put("leftOut", Json.tree(Map.of()));
    return Json.tree(whole);
  }

  private int show(String path, JsonNode answer, boolean all) {
    return invocation.show(
        answer,
        () -> {
          List<BranchView> branches =
              answer
                  .path("branches")
                  .valueStream()
                  .map(branch -> Json.as(branch, BranchView.class))
                  .toList();
          var leftOut = new HashMap<Integer, Integer>();
          answer
              .path("leftOut")
              .properties()
              .forEach(
                  entry -> leftOut.put(Integer.valueOf(entry.getKey()), entry.getValue().asInt()));
          int mainline = answer.path("mainlineBranch").asInt(0);
          JobView.Result result = invocation.client().get(path, JobView.class).result();
          return new BranchTree(
                  invocation.terminal(),
                  branches,
                  leftOut,
                  mainline,
                  result == null ? OptionalInt.empty() : OptionalInt.of(result.branch()))
              .lines(all);
        });
  }

  /// Round 0 stands for what no round forked.
  private void requireRound(String job, int round) {
    String path = invocation.jobPath(job);
    boolean isThere =
        round == 0
            || invocation.client().items(path + "/rounds?pageSize=1000").stream()
                .anyMatch(one -> one.path("round").asInt() == round);
    if (!isThere) {
      throw new CommandFailure(ExitStatus.NOT_FOUND, "job " + job + " has no round " + round);
    }
  }

  @Command(
      name = "list",
      description = "Lists the branches of a job.",
      footerHeading = "%nExamples:%n",
      footer = {
        "  espalier branch list latest --round 2",
        "  espalier branch list latest --kind MAINLINE -o json"
      })
  int list(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(names = "--round", paramLabel = "N", description = "Only branches of this round.")
          @Nullable Integer round,
      @Option(
              names = "--kind",
              paramLabel = "KIND",
              description = "Only TRIAL, MAINLINE or EVALUATION branches.")
          @Nullable String kind) {
    String path =
        invocation.jobPath(job)
            + "/branches?pageSize=1000"
            + (round == null ? "" : "&round=" + round)
            + (kind == null ? "" : "&kind=" + TunerClient.segment(kind.toUpperCase(Locale.ROOT)));
    List<JsonNode> items = invocation.client().items(path);
    if (items.isEmpty() && round != null) {
      requireRound(job, round);
    }
    return invocation.list(
        items,
        round == null && kind == null ? "No branches." : "No such branches.",
        () -> {
          List<BranchView> branches =
              items.stream().map(item -> Json.as(item, BranchView.class)).toList();
          String best = Validations.name(branches);
          String probe = Probes.name(branches);
          var table =
              new Table(
                      "branch", "parent", "kind", "round", "setting", "clocks", "time", best,
                      "speed", probe, "verdict", "state")
                  .sparing(
                      "parent", "kind", "time", probe, "round", "clocks", "verdict", "speed",
                      "state");
          for (BranchView branch : branches) {
            table.row(
                "#" + branch.branch(),
                branch.parent() == null ? "-" : "#" + branch.parent(),
                branch.kind().name(),
                Integer.toString(branch.round()),
                Words.setting(branch.setting()),
                Long.toString(branch.clocks()),
                Words.seconds(branch.seconds()),
                Validations.value(branch),
                branch.speed() == null ? "-" : Words.number(branch.speed()) + "/s",
                Probes.value(branch),
                branch.verdict() == null ? "-" : branch.verdict().name(),
                branch.state().name());
          }
          return table;
        });
  }

  @Command(
      name = "describe",
      description = "Shows a branch with the window means that judged it.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier branch describe latest 12"})
  int describe(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "BRANCH", description = "Number of the branch.")
          String branch) {
    String number = Invocation.number("branch", branch);
    JsonNode answer = invocation.client().get(invocation.jobPath(job) + "/branches/" + number);
    return invocation.show(
        answer, () -> BranchTree.describe(Json.as(answer, BranchView.class)).lines());
  }

  @Command(
      name = "keep",
      description = "Ends the running round, with this branch as its winner.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier branch keep latest 12"})
  int keep(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "BRANCH", description = "Number of the branch.")
          String branch) {
    return invocation.ask(job, "branch", branch, "keep", "Branch #%s of %s wins its round.");
  }

  @Command(
      name = "discard",
      description = "Gives a branch of the running round up.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier branch discard latest 12"})
  int discard(
      @Parameters(index = "0", paramLabel = "JOB", description = Invocation.JOB) String job,
      @Parameters(index = "1", paramLabel = "BRANCH", description = "Number of the branch.")
          String branch) {
    return invocation.ask(job, "branch", branch, "discard", "Branch #%s of %s is given up.");
  }

  @Command(
      name = "try",
      description = "Tries a setting beside the current one; it competes under the same rules.",
      footerHeading = "%nExamples:%n",
      footer = {"  espalier branch try latest --set learningRate=0.05 --set momentum=0.9"})
  int trySetting(
      @Parameters(paramLabel = "JOB", description = Invocation.JOB) String job,
      @Option(
              names = "--set",
              required = true,
              paramLabel = "TUNABLE=VALUE",
              description = "A value to try; tunables that are not named keep their value.")
          Map<String, Double> values) {
    String path = invocation.jobPath(job);
    TunerClient client = invocation.client();
    JsonNode tunables = client.get(path + "/config").path("tunables");
    var setting = new TreeMap<String, Double>();
    client
        .get(path)
        .path("setting")
        .properties()
        .forEach(entry -> {
          if (tunables.has(entry.getKey())) {
            setting.put(entry.getKey(), entry.getValue().asDouble());
          }
        });
    setting.putAll(values);
    JsonNode answer = client.post(path + "/branches", Map.of("setting", setting));
    return invocation.show(
        answer,
        () ->
            List.of(
                "Asked to try "
                    + Words.setting(setting)
                    + "; espalier decision list "
                    + job
                    + " says what comes of it."));
  }
}
