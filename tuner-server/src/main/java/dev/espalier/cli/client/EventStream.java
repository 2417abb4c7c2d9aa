package dev.espalier.cli.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/*
 * One thread reads the stream and, when it ends or falls silent, opens it again from the last event
 * that came. What it reads goes through a bounded queue to the thread that polls; a poller that is
 * slow slows the reader, and in the end the server cuts the connection, which is then resumed.
 */
/// The live events of a job, over as many connections as it takes.
public final class EventStream implements AutoCloseable {
  private static final Duration SILENCE = Duration.ofSeconds(45);
  private static final Duration ANSWER = Duration.ofSeconds(30);

  /// Says no more than that the connection stands.
  private static final String PING = "ping";

  private static final long FIRST_RETRY_MILLIS = 250;
  private static final long LAST_RETRY_MILLIS = 3000;

  private final TunerClient client;
  private final String path;
  private final Duration answerWithin;
  private final BlockingQueue<Message> queue = new ArrayBlockingQueue<>(1024);
  private final ServerSentEvents parser = new ServerSentEvents();
  private final Thread reader;
  private volatile boolean closed;
  private volatile long lastLineNanos = System.nanoTime();
  private volatile @Nullable InputStream open;

  /// What the stream has to tell.
  public sealed interface Message {
    /// An event of the job; `data` is the matching view.
    record Event(String type, JsonNode data) implements Message {}

    /// The connection stands.
    ///
    /// @param again whether it was lost before
    record Connected(boolean again) implements Message {}

    /// The connection was lost; the stream tries to get it back.
    record Lost(String reason) implements Message {}

    /// The server refuses; nothing will come any more.
    record Refused(CommandFailure failure) implements Message {}
  }

  /// Starts to read at once.
  public EventStream(TunerClient client, String path) {
    this(client, path, ANSWER);
  }

  EventStream(TunerClient client, String path, Duration answerWithin) {
    this.client = client;
    this.path = path;
    this.answerWithin = answerWithin;
    this.reader = Thread.ofVirtual().name("events").unstarted(this::read);
    reader.start();
  }

  /// {@return the next message; empty when none came in time}
  public Optional<Message> poll(Duration wait) throws InterruptedException {
    InputStream current = open;
    if (current != null && System.nanoTime() - lastLineNanos > SILENCE.toNanos()) {
      // The server pings every 15 s, so a silent connection is a dead one.
      closeQuietly(current);
    }
    return Optional.ofNullable(queue.poll(wait.toMillis(), TimeUnit.MILLISECONDS));
  }

  private void read() {
    boolean again = false;
    long retryMillis = FIRST_RETRY_MILLIS;
    try {
      while (!closed) {
        try (InputStream in = client.openEvents(path, parser.lastId(), answerWithin)) {
          open = in;
          lastLineNanos = System.nanoTime();
          queue.put(new Message.Connected(again));
          retryMillis = FIRST_RETRY_MILLIS;
          lines(new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
          lost("the server closed the connection");
        } catch (IOException _) {
          // Its words, such as "closed" and "state: READING_LENGTH", are those of the HTTP client.
          lost("the connection broke");
        } catch (CommandFailure e) {
          if (e.status() != ExitStatus.UNREACHABLE) {
            queue.put(new Message.Refused(e));
            return;
          }
          lost(e.words());
        }
        open = null;
        again = true;
        parser.reset();
        Thread.sleep(retryMillis);
        retryMillis = Math.min(LAST_RETRY_MILLIS, 2 * retryMillis);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void lost(String reason) throws InterruptedException {
    if (!closed) {
      queue.put(new Message.Lost(reason));
    }
  }

  private void lines(BufferedReader in) throws IOException, InterruptedException {
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      lastLineNanos = System.nanoTime();
      Optional<ServerSentEvents.Event> event = parser.line(line);
      if (event.isPresent() && !event.get().type().equals(PING)) {
        queue.put(message(event.get()));
      }
    }
  }

  /// The data of an event is its view, or an envelope with type and view.
  private static Message message(ServerSentEvents.Event event) {
    JsonNode tree = Json.parse(event.data());
    boolean envelope = tree.has("type") && tree.path("data").isObject();
    return envelope
        ? new Message.Event(tree.path("type").asString(event.type()), tree.path("data"))
        : new Message.Event(event.type(), tree);
  }

  @Override
  public void close() {
    closed = true;
    reader.interrupt();
    InputStream current = open;
    if (current != null) {
      closeQuietly(current);
    }
  }

  private static void closeQuietly(InputStream in) {
    try {
      in.close();
    } catch (IOException e) {
      // It is of no more use, whether it closed or not.
    }
  }
}
