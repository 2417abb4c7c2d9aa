package dev.espalier.tuner.replay;

import dev.espalier.tuner.app.JobPlans;
import dev.espalier.tuner.core.policy.Policies;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.JobPlan;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import dev.espalier.tuner.core.session.TuningSession;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
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
/// @param differences all decisions that are not the same, in their order; empty when all are
public record Replay(
    String job,
    String policy,
    int recordedVersion,
    int version,
    int events,
    int recorded,
    int replayed,
    List<Difference> differences) {
  public Replay {
    differences = List.copyOf(differences);
  }

  /// What became of a decision.
  public enum Kind {
    /// It is taken now too, but is not the same.
    CHANGED,
    /// It was recorded, and is not taken now.
    MISSING,
    /// It is taken now, and was not recorded.
    ADDED
  }

  /// One decision that is not the same.
  ///
  /// @param position in the recording, from 1; of one that is added, among those taken now
  /// @param recorded empty when the policy decides more than was recorded
  /// @param replayed empty when it decides less
  /// @param parts what differs in a changed one: `order`, `rule`, `actor`, `round`, or
  ///   `evidence.NAME`; a decision is the same in other words
  public record Difference(
      int position, Optional<Decision> recorded, Optional<Decision> replayed, List<String> parts) {
    public Difference {
      parts = List.copyOf(parts);
    }

    public Kind kind() {
      if (recorded.isEmpty()) {
        return Kind.ADDED;
      }
      return replayed.isEmpty() ? Kind.MISSING : Kind.CHANGED;
    }

    public String key() {
      return recorded.or(() -> replayed).map(Decision::key).orElseThrow();
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
        differences(recording.decisions(), replayed));
  }

  public boolean isSame() {
    return differences.isEmpty();
  }

  /// {@return how many decisions are of a kind}
  public long count(Kind kind) {
    return differences.stream().filter(difference -> difference.kind() == kind).count();
  }

  private static List<Decision> decisions(List<SessionEffect> effects) {
    return effects.stream()
        .filter(SessionEffect.Decide.class::isInstance)
        .map(effect -> ((SessionEffect.Decide) effect).decision())
        .toList();
  }

  /// Decisions are the same by their keys, of which a job has each once; so one that is new does
  /// not make all that follow differ.
  private static List<Difference> differences(List<Decision> recorded, List<Decision> replayed) {
    Map<String, Integer> places = places(replayed);
    Map<String, Integer> known = places(recorded);
    var differences = new ArrayList<Difference>();
    int furthest = -1;
    for (int i = 0; i < recorded.size(); i++) {
      Decision before = recorded.get(i);
      Integer place = places.get(before.key());
      if (place == null) {
        differences.add(new Difference(i + 1, Optional.of(before), Optional.empty(), List.of()));
        continue;
      }
      List<String> parts = parts(before, replayed.get(place));
      addIf(place < furthest, "order", parts);
      furthest = Math.max(furthest, place);
      if (!parts.isEmpty()) {
        differences.add(
            new Difference(i + 1, Optional.of(before), Optional.of(replayed.get(place)), parts));
      }
    }
    for (int i = 0; i < replayed.size(); i++) {
      Decision now = replayed.get(i);
      if (!known.containsKey(now.key())) {
        differences.add(new Difference(i + 1, Optional.empty(), Optional.of(now), List.of()));
      }
    }
    differences.sort(Comparator.comparingInt(Difference::position));
    return differences;
  }

  private static Map<String, Integer> places(List<Decision> decisions) {
    var places = new HashMap<String, Integer>();
    for (int i = 0; i < decisions.size(); i++) {
      places.putIfAbsent(decisions.get(i).key(), i);
    }
    return places;
  }

  private static List<String> parts(Decision recorded, Decision replayed) {
    var parts = new ArrayList<String>();
    addIf(!recorded.rule().equals(replayed.rule()), "rule", parts);
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
