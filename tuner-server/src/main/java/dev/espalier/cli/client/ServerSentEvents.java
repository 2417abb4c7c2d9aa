package dev.espalier.cli.client;

import java.util.Optional;

/// Puts lines of an event stream together (WHATWG HTML, section 9.2.6).
final class ServerSentEvents {
  private final StringBuilder data = new StringBuilder();
  private String type = "";
  private String lastId = "";

  /// One event.
  ///
  /// @param type `message` when the stream names none
  record Event(String type, String data) {}

  /// {@return the id of the last event, to resume from; empty before the first}
  String lastId() {
    return lastId;
  }

  /// {@return the event that `line` completes}
  Optional<Event> line(String line) {
    if (line.isEmpty()) {
      return dispatch();
    }
    int colon = line.indexOf(':');
    String field = colon < 0 ? line : line.substring(0, colon);
    String value = colon < 0 ? "" : line.substring(colon + 1);
    if (value.startsWith(" ")) {
      value = value.substring(1);
    }
    switch (field) {
      case "data" -> data.append(data.isEmpty() ? "" : "\n").append(value);
      case "event" -> type = value;
      case "id" -> lastId = value;
      default -> {
        // Comments keep the connection alive; other fields are for browsers.
      }
    }
    return Optional.empty();
  }

  /// Forgets an event that the end of a connection cut off.
  void reset() {
    data.setLength(0);
    type = "";
  }

  private Optional<Event> dispatch() {
    Optional<Event> event =
        data.isEmpty()
            ? Optional.empty()
            : Optional.of(new Event(type.isEmpty() ? "message" : type, data.toString()));
    reset();
    return event;
  }
}
