package dev.espalier.tuner.core.policy.job;

import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Tunable;
import dev.espalier.tuner.core.policy.board.Words;
import dev.espalier.tuner.core.policy.board.Workload;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEvent.UserRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// What is wrong with what a person asks for, and the words for it.
public final class Requests {
  private Requests() {}

  static String inWords(UserRequest request) {
    return switch (request) {
      case UserRequest.Pause _ -> "pause";
      case UserRequest.Resume _ -> "resume";
      case UserRequest.Cancel _ -> "cancel";
      case UserRequest.Kill _ -> "kill";
      case UserRequest.Retune _ -> "re-tune";
      case UserRequest.Try asked -> "try " + Words.setting(asked.setting());
      case UserRequest.Keep asked -> "keep branch " + asked.branch();
      case UserRequest.Discard asked -> "discard branch " + asked.branch();
      case UserRequest.Restore asked -> "restore snapshot " + asked.snapshot();
      case UserRequest.Pin asked ->
          (asked.pinned() ? "pin snapshot " : "unpin snapshot ") + asked.snapshot();
    };
  }

  /// {@return why `asked` cannot be tried beside `current`; empty when it can}
  public static Optional<String> problemOf(
      Setting asked, Setting current, JobPlan plan, Workload workload) {
    List<String> problems = new ArrayList<>();
    asked.values().forEach((name, value) -> problemOf(name, value, plan).ifPresent(problems::add));
    workload.problemOf(List.of(current.with(asked))).ifPresent(problems::add);
    return problems.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", problems));
  }

  private static String boundInWords(Tunable tunable) {
    return switch (tunable) {
      case Tunable.LogRange range -> "in [" + range.min() + ", " + range.max() + "]";
      case Tunable.LinearRange range -> "in [" + range.min() + ", " + range.max() + "]";
      case Tunable.Choice choice -> "one of " + choice.values();
    };
  }

  private static Optional<String> problemOf(String name, double value, JobPlan plan) {
    Optional<Tunable> tunable =
        plan.space().tunables().stream().filter(known -> known.name().equals(name)).findFirst();
    if (tunable.isPresent()) {
      return tunable.get().contains(value)
          ? Optional.empty()
          : Optional.of(name + " must be " + boundInWords(tunable.get()) + " but is " + value);
    }
    return plan.base().values().containsKey(name)
        ? Optional.empty()
        : Optional.of(name + " is not a tunable of this job");
  }
}
