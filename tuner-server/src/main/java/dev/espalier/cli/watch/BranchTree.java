package dev.espalier.cli.watch;

import dev.espalier.api.model.BranchState;
import dev.espalier.api.rest.BranchView;
import dev.espalier.cli.screen.Table;
import dev.espalier.cli.screen.Terminal;
import dev.espalier.cli.screen.Terminal.Style;
import dev.espalier.cli.screen.Words;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/// The branches of a job from their fork points, as lines of text.
public final class BranchTree {
  private final Terminal terminal;
  private final Map<Integer, BranchView> byNumber = new HashMap<>();
  private final Map<Integer, List<BranchView>> children = new HashMap<>();
  private final List<BranchView> roots = new ArrayList<>();
  private final Map<Integer, Integer> leftOut;
  private final Set<Integer> lineage = new HashSet<>();
  private final Set<Integer> toResult = new HashSet<>();
  private final OptionalInt result;

  /// @param leftOut how many children of a branch are not among `branches`, by its number
  /// @param result the branch that holds the job's result; empty before there is one
  public BranchTree(
      Terminal terminal,
      List<BranchView> branches,
      Map<Integer, Integer> leftOut,
      int mainline,
      OptionalInt result) {
    this.terminal = terminal;
    this.result = result;
    this.leftOut = leftOut;
    branches.forEach(branch -> byNumber.put(branch.branch(), branch));
    for (BranchView branch : branches) {
      Integer parent = branch.parent();
      if (parent == null || !byNumber.containsKey(parent)) {
        roots.add(branch);
      } else {
        children.computeIfAbsent(parent, number -> new ArrayList<>()).add(branch);
      }
    }
    follow(mainline, lineage);
    result.ifPresent(number -> follow(number, toResult));
  }

  private void follow(int number, Set<Integer> line) {
    BranchView branch = byNumber.get(number);
    while (branch != null && line.add(branch.branch())) {
      Integer parent = branch.parent();
      branch = parent == null ? null : byNumber.get(parent);
    }
  }

  /// {@return one line per branch}
  ///
  /// @param all whether branches that lead nowhere are drawn one by one, and not only counted
  public List<String> lines(boolean all) {
    var lines = new ArrayList<String>();
    roots.forEach(root -> draw(root, "", "", all, lines));
    if (lines.isEmpty()) {
      lines.add("No branches yet.");
    }
    return lines;
  }

  /*
   * The chain of winners is drawn straight down, so that a job of many rounds stays readable; what
   * was tried stands beside it, one step in.
   */
  private void draw(
      BranchView branch, String head, String indent, boolean all, List<String> lines) {
    BranchView current = branch;
    String start = head;
    while (true) {
      lines.add(start + line(current));
      List<BranchView> forks = children.getOrDefault(current.branch(), List.of());
      BranchView next =
          forks.stream().filter(fork -> lineage.contains(fork.branch())).findFirst().orElse(null);
      List<BranchView> aside = forks.stream().filter(fork -> fork != next).toList();
      List<BranchView> shown = all ? aside : aside.stream().filter(this::isShown).toList();
      int hidden = aside.size() - shown.size() + leftOut.getOrDefault(current.branch(), 0);
      String bar = next == null ? "   " : glyph("│  ", "|  ");
      for (int i = 0; i < shown.size(); i++) {
        boolean last = i == shown.size() - 1 && next == null && hidden == 0;
        draw(
            shown.get(i),
            indent + (last ? glyph("└─ ", "`- ") : glyph("├─ ", "|- ")),
            indent + (last ? "   " : glyph("│  ", "|  ")),
            all,
            lines);
      }
      if (hidden > 0) {
        lines.add(indent + bar + terminal.styled(Style.DIM, hidden + " tried and discarded"));
      }
      if (next == null) {
        return;
      }
      current = next;
      start = indent;
    }
  }

  private boolean isShown(BranchView branch) {
    return toResult.contains(branch.branch())
        || branch.state() == BranchState.FORKING
        || branch.state() == BranchState.WAITING
        || branch.state() == BranchState.RUNNING
        || branch.state() == BranchState.KEPT;
  }

  private String glyph(String unicode, String ascii) {
    return terminal.hasUnicode() ? unicode : ascii;
  }

  private String line(BranchView branch) {
    String number = "#" + branch.branch();
    boolean isNewStart = branch.parent() == null && branch.start() > 1;
    String round =
        isNewStart
            ? " start " + branch.start()
            : branch.round() > 0 ? " round " + branch.round() : "";
    String speed = branch.speed() == null ? "" : ", speed " + Words.number(branch.speed()) + "/s";
    String loss =
        branch.heldOutLoss() == null
            ? ""
            : ", " + Probes.name(List.of(branch)) + " " + Probes.value(branch);
    String text =
        number
            + round
            + " at clock "
            + branch.forkClock()
            + ": "
            + Words.setting(branch.setting())
            + ", "
            + branch.clocks()
            + " clocks"
            + speed
            + loss
            + ", "
            + JobPicture.verdict(branch)
            + (result.isPresent() && result.getAsInt() == branch.branch() ? ", the result" : "");
    return lineage.contains(branch.branch()) ? terminal.styled(Style.GREEN, text) : text;
  }

  /// {@return one branch in rows}
  public static Table describe(BranchView branch) {
    var table = new Table("field", "value");
    table.row("branch", "#" + branch.branch());
    table.row("parent", branch.parent() == null ? "-" : "#" + branch.parent());
    table.row("kind", branch.kind().name());
    table.row("state", branch.state().name());
    table.row("round", Integer.toString(branch.round()));
    table.row("setting", Words.setting(branch.setting()));
    table.row("forked at clock", Long.toString(branch.forkClock()));
    table.row("clocks", Long.toString(branch.clocks()));
    table.row("time", Words.seconds(branch.seconds()));
    if (branch.verdict() != null) {
      table.row("verdict", branch.verdict().name());
    }
    if (branch.speed() != null) {
      table.row("speed", Words.number(branch.speed()) + "/s");
      table.row("noise", Words.number(branch.noise()));
    }
    if (branch.heldOutLoss() != null) {
      table.row(Probes.name(List.of(branch)), Probes.value(branch));
    }
    if (branch.validation() != null) {
      table.row(Validations.name(List.of(branch)), Validations.value(branch));
    }
    if (!branch.windowMeans().isEmpty()) {
      table.row(
          "window means",
          String.join(", ", branch.windowMeans().stream().map(Words::number).toList()));
    }
    return table;
  }
}
