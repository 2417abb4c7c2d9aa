package dev.espalier.tuner.replay;

import dev.espalier.tuner.core.session.Decision;
import dev.espalier.tuner.core.session.SessionEvent;
import java.io.IOException;
import java.io.Writer;
import java.util.Map;
import tools.jackson.databind.ObjectWriter;
import tools.jackson.databind.json.JsonMapper;

/// Writes a recording line by line: all events, then all decisions, then the end.
public final class RecordingWriter {
  private final JsonMapper json;
  private final ObjectWriter ofEvents;
  private final Writer out;
  private long events;
  private long decisions;

  RecordingWriter(JsonMapper json, Writer out) {
    this.json = json;
    this.ofEvents = json.writerFor(SessionEvent.class);
    this.out = out;
  }

  /// {@return how many were written}
  public long events() {
    return events;
  }

  /// {@return how many were written}
  public long decisions() {
    return decisions;
  }

  public void event(SessionEvent event) throws IOException {
    out.write("{\"event\":");
    out.write(ofEvents.writeValueAsString(event));
    out.write("}\n");
    events++;
  }

  public void decision(Decision decision) throws IOException {
    line("decision", decision);
    decisions++;
  }

  /// Says that all is there.
  public void end() throws IOException {
    line("end", new End(events, decisions));
    out.flush();
  }

  void line(String name, Object value) throws IOException {
    out.write(json.writeValueAsString(Map.of(name, value)));
    out.write("\n");
  }

  /// The last line: how much stands before it.
  record End(long events, long decisions) {}
}
