package dev.espalier.cli.client;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.cli.client.EventStream.Message;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

final class EventStreamTest {
  private static final Duration LONG = Duration.ofSeconds(20);

  private static EventStream streamOf(ServerSocket server) {
    String address = "http://127.0.0.1:" + server.getLocalPort();
    var client = new TunerClient(address, Optional.empty());
    return new EventStream(client, "/jobs/job_1/events", Duration.ofSeconds(1));
  }

  @Test
  void serverThatAcceptsAndNeverAnswersIsLost() throws IOException, InterruptedException {
    try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        var stream = streamOf(silent)) {
      assertThat(stream.poll(LONG).orElseThrow())
          .isInstanceOfSatisfying(
              Message.Lost.class,
              lost ->
                  assertThat(lost.reason())
                      .isEqualTo(
                          "the server at http://127.0.0.1:%d did not answer within 1 s",
                          silent.getLocalPort()));
    }
  }

  @Test
  void streamThatHasBegunMayBeQuietForLonger() throws IOException, InterruptedException {
    try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        var stream = streamOf(server)) {
      try (var link = server.accept()) {
        var out = link.getOutputStream();
        out.write("HTTP/1.1 200 OK\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
        out.flush();
        assertThat(stream.poll(LONG)).contains(new Message.Connected(false));
        assertThat(stream.poll(Duration.ofSeconds(2))).isEmpty();
        out.write("data: {\"job\": 1}\n\n".getBytes(StandardCharsets.US_ASCII));
        out.flush();
        assertThat(stream.poll(LONG).orElseThrow()).isInstanceOf(Message.Event.class);
      }
    }
  }

  @Test
  void serverThatDiesInTheMiddleIsLostInWords() throws IOException, InterruptedException {
    try (var server = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        var stream = streamOf(server)) {
      try (var link = server.accept()) {
        link.getOutputStream()
            .write(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .getBytes(StandardCharsets.US_ASCII));
        assertThat(stream.poll(LONG)).contains(new Message.Connected(false));
      }
      assertThat(stream.poll(LONG)).contains(new Message.Lost("the connection broke"));
    }
  }

  @Test
  void serverThatIsNotThereIsLostInWords() throws IOException, InterruptedException {
    ServerSocket gone = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    gone.close();
    try (var stream = streamOf(gone)) {
      assertThat(stream.poll(LONG).orElseThrow())
          .isInstanceOfSatisfying(
              Message.Lost.class,
              lost -> assertThat(lost.reason()).startsWith("no server answers at http://127"));
    }
  }
}
