package dev.espalier.ps.shard;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Votes of workers for named barriers.
///
/// A barrier completes when every worker has voted; then no vote can be withdrawn any more. The
/// names of the latest 65,536 completed barriers are remembered. Not thread-safe; the shard guards
/// it.
final class Barriers {
  private static final int REMEMBERED_NAMES = 1 << 16;

  private final int workers;
  private final Map<String, Map<Integer, PendingReply>> votes = new HashMap<>();
  private final Map<String, Boolean> completed =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > REMEMBERED_NAMES;
        }
      };

  Barriers(int workers) {
    this.workers = workers;
  }

  /// Adds a vote.
  ///
  /// @return the votes to answer as completed: all of them, or none
  List<PendingReply> vote(String name, PendingReply vote) {
    if (completed.containsKey(name)) {
      return List.of(vote);
    }
    Map<Integer, PendingReply> others = votes.computeIfAbsent(name, _ -> new TreeMap<>());
    PendingReply repeated = others.put(vote.command().worker(), vote);
    if (repeated != null) {
      vote.reply().thenAccept(repeated.reply()::complete);
    }
    if (others.size() < workers) {
      return List.of();
    }
    votes.remove(name);
    completed.put(name, true);
    return List.copyOf(others.values());
  }

  /// Takes a vote back, if there is one and the barrier has not completed.
  Optional<PendingReply> withdraw(String name, int worker) {
    Map<Integer, PendingReply> others = votes.get(name);
    if (others == null) {
      return Optional.empty();
    }
    Optional<PendingReply> vote = Optional.ofNullable(others.remove(worker));
    if (others.isEmpty()) {
      votes.remove(name);
    }
    return vote;
  }

  boolean isCompleted(String name) {
    return completed.containsKey(name);
  }

  /// All votes that wait.
  List<PendingReply> waiting() {
    return votes.values().stream().flatMap(v -> v.values().stream()).toList();
  }

  /// What a worker's votes wait for, for people.
  List<String> describe(int worker) {
    return votes.entrySet().stream()
        .filter(e -> e.getValue().containsKey(worker))
        .map(e ->
            "barrier '%s' has votes of workers %s of %d"
                .formatted(e.getKey(), e.getValue().keySet(), workers))
        .toList();
  }
}
