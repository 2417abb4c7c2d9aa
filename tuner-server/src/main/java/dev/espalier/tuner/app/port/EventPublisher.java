package dev.espalier.tuner.app.port;

import dev.espalier.api.rest.StreamEvent;
import java.util.List;

/// Tells live viewers what changed; never blocks the caller.
public interface EventPublisher {
  void publish(List<StreamEvent> events);
}
