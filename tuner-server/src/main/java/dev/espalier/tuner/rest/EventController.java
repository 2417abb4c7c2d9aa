package dev.espalier.tuner.rest;

import dev.espalier.api.rest.JobView;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.JobQueries;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.MediaType;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;

/// A job's live events.
///
/// A viewer gets a snapshot first, then what changes. `id` is the sequence of a kept event; a
/// viewer that comes back with `Last-Event-ID`, or comes with `after`, gets what it missed in place
/// of the snapshot. A job that is quiet has a `ping` every 15 seconds. The same events can be
/// polled with `since`. A stream ends when the token behind it is revoked.
@RestController
class EventController {
  private static final Logger LOG = LoggerFactory.getLogger(EventController.class);
  private static final long PING_SECONDS = 15;
  private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(PING_SECONDS);
  private static final int REPLAY_PAGE = 500;
  private static final int MAX_REPLAY = 5000;

  private final JobQueries queries;
  private final EventHub hub;
  private final Authenticator authenticator;
  private final InstantSource clock;

  EventController(
      JobQueries queries, EventHub hub, Authenticator authenticator, InstantSource clock) {
    this.queries = queries;
    this.hub = hub;
    this.authenticator = authenticator;
    this.clock = clock;
  }

  /// Kept events after `since`, for those who poll. Of a job the last 10000 at least are kept:
  /// where the first one does not follow on `since`, those between have been forgotten.
  @GetMapping(
      path = Lookups.JOB + "/events",
      params = "since",
      produces = MediaType.APPLICATION_JSON_VALUE)
  EventPage poll(
      @PathVariable String job,
      @RequestParam long since,
      @RequestParam(defaultValue = "100") int limit) {
    Lookups.requireWithin("since", since, 0, Long.MAX_VALUE);
    Lookups.requireWithin("limit", limit, 1, 1000);
    Lookups.job(queries, job);
    List<StreamEvent> events = queries.stream(job, since, limit);
    return new EventPage(events, events.isEmpty() ? since : events.getLast().sequence());
  }

  @GetMapping(
      path = Lookups.JOB + "/events",
      params = "!since",
      produces = MediaType.TEXT_EVENT_STREAM_VALUE)
  SseEmitter follow(
      @PathVariable String job,
      @RequestHeader(name = "Last-Event-ID", required = false) @Nullable String lastEventId,
      @RequestParam(required = false) @Nullable String after,
      HttpServletRequest request,
      HttpServletResponse response) {
    Lookups.job(queries, job);
    long last = sequence(lastEventId == null ? after : lastEventId);
    BooleanSupplier admitted = stillAdmitted(request);
    EventHub.Subscription viewer = hub.subscribe(job, Caller.current().tokenId());
    response.setHeader("X-Accel-Buffering", "no");
    response.setHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    var emitter = new SseEmitter(0L);
    Thread sender =
        Thread.ofVirtual()
            .name("sse-" + job)
            .unstarted(() -> send(emitter, viewer, admitted, job, last));
    emitter.onCompletion(sender::interrupt);
    emitter.onError(failure -> sender.interrupt());
    sender.start();
    return emitter;
  }

  /// A session or token that is over ends its streams, at the latest with the next ping.
  private BooleanSupplier stillAdmitted(HttpServletRequest request) {
    Caller caller = Caller.current();
    String session = AuthenticationFilter.sessionCookie(request).orElse("");
    return () -> authenticator.admits(caller, session);
  }

  private void send(
      SseEmitter emitter,
      EventHub.Subscription viewer,
      BooleanSupplier admitted,
      String job,
      long lastSequence) {
    try (viewer) {
      // Opens the link for a viewer that has missed nothing.
      emitter.send(SseEmitter.event().comment("here"));
      long sent = catchUp(emitter, job, lastSequence);
      long admittedNanos = System.nanoTime() - PING_NANOS;
      while (!viewer.isCutOff()) {
        if (System.nanoTime() - admittedNanos >= PING_NANOS) {
          // By the clock: a job that trains says something all the time.
          if (!admitted.getAsBoolean()) {
            break;
          }
          admittedNanos = System.nanoTime();
        }
        StreamEvent event = viewer.next(PING_SECONDS);
        if (viewer.isCutOff()) {
          break;
        }
        if (event == null) {
          // A browser does not tell a page of comments.
          emitter.send(SseEmitter.event().name("ping").data("{}", MediaType.APPLICATION_JSON));
        } else if (event.sequence() == 0 || event.sequence() > sent) {
          send(emitter, event);
          sent = Math.max(sent, event.sequence());
        }
      }
      emitter.send(SseEmitter.event().name("resync").data("{}", MediaType.APPLICATION_JSON));
      emitter.complete();
    } catch (IOException | IllegalStateException e) {
      // The viewer went away.
      complete(emitter);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      LOG.warn("event=stream-failed job={} message={}", job, e.getMessage());
      complete(emitter);
    }
  }

  private static void complete(SseEmitter emitter) {
    try {
      emitter.complete();
    } catch (IllegalStateException e) {
      LOG.debug("event=stream-ended-already message={}", e.getMessage());
    }
  }

  /// {@return the sequence up to which the viewer knows everything}
  private long catchUp(SseEmitter emitter, String job, long lastSequence) throws IOException {
    // Read before the views: events after it may be told twice, none is left out.
    long now = queries.streamSequence(job);
    if (lastSequence < 0 || lastSequence > now || now - lastSequence > MAX_REPLAY) {
      send(emitter, snapshot(job, now));
      return now;
    }
    long sent = lastSequence;
    while (true) {
      List<StreamEvent> missed = queries.stream(job, sent, REPLAY_PAGE);
      for (StreamEvent event : missed) {
        send(emitter, event);
        sent = event.sequence();
      }
      if (missed.size() < REPLAY_PAGE) {
        // That event is not kept: it may be among those missed.
        JobView view = Lookups.job(queries, job);
        send(emitter, StreamEvent.stall(job, clock.instant(), Optional.ofNullable(view.stall())));
        return sent;
      }
    }
  }

  private SnapshotEvent snapshot(String job, long sequence) {
    return new SnapshotEvent(
        job, sequence, "snapshot", clock.instant(), HistoryController.snapshot(queries, job));
  }

  private static void send(SseEmitter emitter, StreamEvent event) throws IOException {
    var message = SseEmitter.event().name(event.type()).data(event, MediaType.APPLICATION_JSON);
    if (event.sequence() > 0) {
      message.id(Long.toString(event.sequence()));
    }
    emitter.send(message);
  }

  private static void send(SseEmitter emitter, SnapshotEvent event) throws IOException {
    emitter.send(
        SseEmitter.event()
            .id(Long.toString(event.sequence()))
            .name(event.type())
            .data(event, MediaType.APPLICATION_JSON));
  }

  private static long sequence(@Nullable String lastEventId) {
    if (lastEventId == null || !lastEventId.matches("\\d{1,18}")) {
      return -1;
    }
    return Long.parseLong(lastEventId);
  }

  /// Events for those who poll.
  ///
  /// @param next to be sent as `since` the next time
  record EventPage(List<StreamEvent> items, long next) {}

  /// The first event of a stream; shaped as the others are.
  ///
  /// @param sequence up to which the data hold everything
  record SnapshotEvent(
      String job, long sequence, String type, Instant time, HistoryController.Snapshot data) {}
}
