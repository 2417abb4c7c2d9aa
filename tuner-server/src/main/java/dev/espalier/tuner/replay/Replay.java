package dev.espalier.tuner.replay;

import dev.espalier.tuner.app.JobPlans;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Gives the recorded events to a policy of today and compares what it decides.
///
/// @param recordedVersion version of the policy that decided; 0 when it was not written down
/// @param version of the policy that was asked now
/// @param recorded how many decisions were recorded
/// @param replayed how many decisions the policy takes now
/// @param difference the first decision that is not the same; empty when all are
public record Replay(
    String job,
    String policy,
    int recordedVersion,
    int version,
    int events,
    int recorded,
    int replayed,
    Optional<Difference> difference) {
  /// The first decision that is not the same.
  ///
  /// @param position from 1
  /// @param recorded empty when the policy decides more than was recorded
  /// @param replayed empty when it decides less
  /// @param parts what differs: `key`, `rule`, `outcome`, `actor`, `round`, or `evidence.NAME`
  public record Difference(
      int position, Optional<Decision> recorded, Optional<Decision> replayed, List<String> parts) {
    public Difference {
      parts = List.copyOf(parts);
    }
  }

  /// Replays a recording with the policy that made it.
  public static Replay of(Recording recording) {
    return of(recording, recording.spec().tuning().policy());
  }

  /// Replays a recording with a policy of another name.
  ///
  /// @throws IllegalArgumentException when there is no such policy
  public static Replay of(Recording recording, String policy) {
    JobPlan plan = JobPlans.of(recording.spec(), recording.program()).withPolicy(policy);
    TuningSession session = Policies.open(plan);
    List<Decision> replayed = new ArrayList<>(decisions(session.start()));
    for (SessionEvent event : recording.events()) {
      replayed.addAll(decisions(session.step(event)));
    }
    return new Replay(
        recording.job(),
        policy,
        recording.policyVersion(),
        Policies.version(policy),
        recording.events().size(),
        recording.decisions().size(),
        replayed.size(),
        firstDifference(recording.decisions(), replayed));
  }

  public boolean isSame() {
    return difference.isEmpty();
  }

  private static List<Decision> decisions(List<SessionEffect> effects) {
    return effects.stream()
        .filter(SessionEffect.Decide.class::isInstance)
        .map(effect -> ((SessionEffect.Decide) effect).decision())
        .toList();
  }

  private static Optional<Difference> firstDifference(
      List<Decision> recorded, List<Decision> replayed) {
    for (int i = 0; i < Math.max(recorded.size(), replayed.size()); i++) {
      Optional<Decision> before = at(recorded, i);
      Optional<Decision> now = at(replayed, i);
      List<String> parts =
          before.isPresent() && now.isPresent() ? parts(before.get(), now.get()) : List.of("key");
      if (!parts.isEmpty()) {
        return Optional.of(new Difference(i + 1, before, now, parts));
      }
    }
    return Optional.empty();
  }

  private static Optional<Decision> at(List<Decision> decisions, int index) {
    return index < decisions.size() ? Optional.of(decisions.get(index)) : Optional.empty();
  }

  private static List<String> parts(Decision recorded, Decision replayed) {
    var parts = new ArrayList<String>();
    addIf(!recorded.key().equals(replayed.key()), "key", parts);
    addIf(!recorded.rule().equals(replayed.rule()), "rule", parts);
    addIf(!recorded.outcome().equals(replayed.outcome()), "outcome", parts);
    addIf(!recorded.actor().equals(replayed.actor()), "actor", parts);
    addIf(recorded.round() != replayed.round(), "round", parts);
    var names = new LinkedHashMap<>(recorded.evidence());
    names.putAll(replayed.evidence());
    for (String name : names.keySet()) {
      Object before = recorded.evidence().get(name);
      Object now = replayed.evidence().get(name);
      addIf(!plain(before).equals(plain(now)), "evidence." + name, parts);
    }
    return parts;
  }

  private static void addIf(boolean differs, String part, List<String> parts) {
    if (differs) {
      parts.add(part);
    }
  }

  /// JSON does not tell an int from a long, nor a text from a number that is not finite.
  private static Object plain(@org.jspecify.annotations.Nullable Object value) {
    return switch (value) {
      case null -> "";
      case Integer number -> (Object) number.longValue();
      case Double number when !Double.isFinite(number) -> number.toString();
      case List<?> list -> list.stream().map(Replay::plain).toList();
      case Map<?, ?> map -> {
        var copy = new LinkedHashMap<Object, Object>();
        map.forEach((key, each) -> copy.put(key, plain(each)));
        yield copy;
      }
      default -> value;
    };
  }
}
