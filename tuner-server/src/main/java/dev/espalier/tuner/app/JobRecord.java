package dev.espalier.tuner.app;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventLog;
import dev.espalier.tuner.core.session.SessionEffect;
import dev.espalier.tuner.core.session.SessionEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What is stored of a job, in a database that may be away: whatever needs it waits, and who looks
/// on is told why the job stands still.
///
/// For one thread, but for `goDown` and `unwritable`.
final class JobRecord {
  private static final Logger log = LoggerFactory.getLogger(JobRecord.class);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration ALONE_AFTER = Duration.ofSeconds(1);

  private final String job;
  private final RunnerPorts ports;
  private long events;
  private volatile boolean isGoingDown;
  // Why the log cannot be written, once that has lasted.
  private volatile @Nullable EspalierException unwritable;

  JobRecord(String job, RunnerPorts ports) {
    this.job = job;
    this.ports = ports;
  }

  /// Who waits for the database waits no longer.
  void goDown() {
    isGoingDown = true;
  }

  /// {@return why nothing can be stored, once that has lasted}
  Optional<EspalierException> unwritable() {
    return Optional.ofNullable(unwritable);
  }

  /// {@return how many events are in the log, of those that were read and written here}
  long events() {
    return events;
  }

  boolean isEmpty() throws InterruptedException {
    return read(0).isEmpty();
  }

  /// Reads on to the end of the log, part by part: a log of weeks is larger than memory.
  void replay(Consumer<SessionEvent> then) throws InterruptedException {
    List<SessionEvent> part = read(events);
    while (!part.isEmpty()) {
      for (SessionEvent event : part) {
        events++;
        then.accept(event);
      }
      part = read(events);
    }
  }

  private List<SessionEvent> read(long after) throws InterruptedException {
    return patiently(() -> ports.log().read(job, after));
  }

  /// Writes down what came and what follows from it, in one transaction.
  ///
  /// @param alone hears whether workers have to do without decisions
  /// @return what is to be told of it
  List<StreamEvent> append(
      List<SessionEvent> came,
      List<SessionEffect> effects,
      List<EventLog.MetricPoint> points,
      Consumer<Boolean> alone)
      throws InterruptedException {
    var commit = new EventLog.Commit(job, events + 1, came, effects, points);
    long since = System.nanoTime();
    boolean warned = false;
    while (true) {
      try {
        List<StreamEvent> news = ports.log().append(commit);
        if (warned) {
          log.info("job={} database is back, the log has caught up", job);
          goesOn();
        }
        alone.accept(false);
        unwritable = null;
        events += came.size();
        return news;
      } catch (EspalierException away) {
        requireAway(away);
        if (!warned) {
          log.warn(
              "job={} database is away, training goes on without decisions: {}",
              job,
              away.getMessage());
          warned = true;
        }
        standsStill(away);
        if (System.nanoTime() - since > ALONE_AFTER.toNanos()) {
          alone.accept(true);
          unwritable = away;
        }
        pause();
      }
    }
  }

  /// Does what needs the database, as soon as it is there.
  <T> T patiently(Supplier<T> work) throws InterruptedException {
    boolean waited = false;
    while (true) {
      try {
        T result = work.get();
        if (waited) {
          goesOn();
        }
        return result;
      } catch (EspalierException away) {
        requireAway(away);
        standsStill(away);
        waited = true;
        pause();
      }
    }
  }

  private static void requireAway(EspalierException failure) {
    if (failure.code() != ErrorCode.DATABASE_AWAY) {
      throw failure;
    }
  }

  private void pause() throws InterruptedException {
    if (isGoingDown) {
      throw new InterruptedException("the server is going down");
    }
    Thread.sleep(RETRY);
  }

  /// Tells why the job stands still; kept beside the database, which may be what fails.
  void standsStill(EspalierException why) {
    if (ports.stalls().put(job, String.valueOf(why.getMessage()), Instant.now())) {
      tellStall();
    }
  }

  /// Takes it back.
  void goesOn() {
    if (ports.stalls().remove(job)) {
      tellStall();
    }
  }

  private void tellStall() {
    ports
        .publisher()
        .publish(List.of(StreamEvent.stall(job, Instant.now(), ports.stalls().of(job))));
  }
}
