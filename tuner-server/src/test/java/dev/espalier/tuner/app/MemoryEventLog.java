package dev.espalier.tuner.app;

import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.util.ArrayList;
import java.util.List;

/// A log of one job in memory.
final class MemoryEventLog implements EventLog {
  private final List<SessionEvent> events = new ArrayList<>();
  private final List<SessionEffect> effects = new ArrayList<>();

  @Override
  public synchronized List<StreamEvent> append(Commit commit) {
    if (commit.firstSequence() != events.size() + 1) {
      throw new IllegalStateException(
          "sequence must be " + (events.size() + 1) + " but is " + commit.firstSequence());
    }
    events.addAll(commit.events());
    effects.addAll(commit.effects());
    return List.of();
  }

  @Override
  public synchronized List<SessionEvent> read(String job, long after) {
    return List.copyOf(events.subList((int) after, Math.min(events.size(), (int) after + 2)));
  }

  synchronized List<SessionEvent> events() {
    return List.copyOf(events);
  }

  synchronized List<SessionEffect> effects() {
    return List.copyOf(effects);
  }

  synchronized List<Decision> decisions() {
    return effects.stream()
        .filter(SessionEffect.Decide.class::isInstance)
        .map(effect -> ((SessionEffect.Decide) effect).decision())
        .toList();
  }
}
