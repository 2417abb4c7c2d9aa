package dev.espalier.cli.watch;

import dev.espalier.api.rest.BranchView;
import dev.espalier.cli.screen.Words;
import java.util.Collection;
import java.util.Objects;

/// What branches measured on the samples that judge races, in words: a loss, or where their program
/// has none the metric that stands for it.
public final class Probes {
  private Probes() {}

  /// {@return what it is called, such as `probe accuracy`}
  public static String name(Collection<BranchView> branches) {
    return "probe "
        + branches.stream()
            .map(BranchView::heldOutMetric)
            .filter(Objects::nonNull)
            .findFirst()
            .orElse("loss");
  }

  /// {@return its value; a dash where there is none}
  public static String value(BranchView branch) {
    Double loss = branch.heldOutLoss();
    return loss == null || branch.heldOutMetric() == null
        ? Words.number(loss)
        : Words.number(-loss);
  }
}
