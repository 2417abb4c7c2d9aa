package dev.espalier.cli.watch;

import dev.espalier.api.rest.BranchView;
import dev.espalier.cli.screen.Words;
import java.util.Collection;
import java.util.Objects;

/// The best validation results of branches, in words.
public final class Validations {
  private Validations() {}

  /// {@return what they are called, such as `best accuracy`}
  public static String name(Collection<BranchView> branches) {
    return "best "
        + branches.stream()
            .map(BranchView::validation)
            .filter(Objects::nonNull)
            .findFirst()
            .map(BranchView.Validation::metric)
            .orElse("result");
  }

  /// {@return the value and its epoch; a dash where the branch was not evaluated}
  public static String value(BranchView branch) {
    BranchView.Validation best = branch.validation();
    return best == null
        ? "-"
        : Words.number(best.best()) + " at epoch " + Words.number(best.epoch());
  }
}
