package dev.espalier.tuner.core.policy.race;

import dev.espalier.api.model.BranchId;
import dev.espalier.tuner.core.policy.board.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// Who runs in a race: the incumbent and its challengers, each until it leaves.
final class Field {
  private final List<Entrant> entrants = new ArrayList<>();

  /// @param move what it does differently; empty for the incumbent, which enters first
  void enter(Branch branch, Optional<Move> move) {
    entrants.add(new Entrant(entrants.size(), branch, move));
  }

  /// {@return how many have entered, those that left among them}
  int size() {
    return entrants.size();
  }

  /// {@return all that entered, those that left among them}
  List<Entrant> all() {
    return List.copyOf(entrants);
  }

  /// {@return those that have not left, in the order in which they entered}
  List<Entrant> left() {
    return entrants.stream().filter(entrant -> !entrant.isOut()).toList();
  }

  /// {@return the incumbent, unless it has left}
  Optional<Entrant> incumbent() {
    return left().stream().filter(Entrant::isIncumbent).findFirst();
  }

  /// {@return the entrant that a branch runs, unless it has left}
  Optional<Entrant> on(BranchId branch) {
    return left().stream().filter(entrant -> entrant.branch().id().equals(branch)).findFirst();
  }
}
