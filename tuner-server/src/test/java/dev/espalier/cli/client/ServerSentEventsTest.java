package dev.espalier.cli.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ServerSentEventsTest {
  private final ServerSentEvents parser = new ServerSentEvents();

  private List<ServerSentEvents.Event> events(String text) {
    var events = new ArrayList<ServerSentEvents.Event>();
    text.lines().forEach(line -> parser.line(line).ifPresent(events::add));
    return events;
  }

  @Test
  void eventEndsWithABlankLine() {
    assertThat(events("id:4\nevent:job.changed\ndata:{\ndata: }\n\n: ping\n\ndata:x\n\n"))
        .containsExactly(
            new ServerSentEvents.Event("job.changed", "{\n}"),
            new ServerSentEvents.Event("message", "x"));
    assertThat(parser.lastId()).isEqualTo("4");
  }

  @Test
  void eventThatIsCutOffIsForgottenAndItsIdIsNot() {
    assertThat(events("id: 5\ndata: half\n")).isEmpty();
    parser.reset();

    assertThat(events("data: whole\n\n"))
        .containsExactly(new ServerSentEvents.Event("message", "whole"));
  }
}
