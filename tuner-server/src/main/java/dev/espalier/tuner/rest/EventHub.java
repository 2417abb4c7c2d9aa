package dev.espalier.tuner.rest;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.rest.StreamEvent;
import dev.espalier.tuner.app.port.EventPublisher;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;

/// Hands events to the viewers that are connected; a slow viewer never holds up a job.
///
/// Each viewer has a bounded queue. Events that are not kept are left out when it fills; when one
/// that is kept does not fit, the viewer is cut off, and may come back with its last sequence.
final class EventHub implements EventPublisher, SmartLifecycle {
  static final int QUEUE_SIZE = 256;
  private static final int MAX_VIEWERS = 2000;

  /// One token may not take all places.
  static final int MAX_VIEWERS_OF_ONE = 200;

  private final Map<String, Queue<Subscription>> viewers = new ConcurrentHashMap<>();
  private final AtomicInteger count = new AtomicInteger();
  private final Map<String, Integer> ofOwner = new ConcurrentHashMap<>();
  private volatile boolean running;

  @Override
  public void publish(List<StreamEvent> events) {
    for (StreamEvent event : events) {
      Queue<Subscription> ofJob = viewers.get(event.job());
      if (ofJob != null) {
        ofJob.forEach(viewer -> viewer.offer(event));
      }
    }
  }

  /// Starts to collect the events of a job.
  ///
  /// @throws EspalierException `TOO_MANY_REQUESTS` when too many viewers are connected
  ///
  /// @param owner the token behind the viewer
  Subscription subscribe(String job, String owner) {
    if (count.incrementAndGet() > MAX_VIEWERS) {
      count.decrementAndGet();
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS, "more than " + MAX_VIEWERS + " viewers are connected");
    }
    if (ofOwner.merge(owner, 1, Integer::sum) > MAX_VIEWERS_OF_ONE) {
      forget(owner);
      count.decrementAndGet();
      throw new EspalierException(
          ErrorCode.TOO_MANY_REQUESTS,
          "more than " + MAX_VIEWERS_OF_ONE + " viewers are connected with this token");
    }
    var viewer = new Subscription(job, owner);
    viewers.computeIfAbsent(job, name -> new ConcurrentLinkedQueue<>()).add(viewer);
    return viewer;
  }

  /// Ends the streams of everybody behind a token.
  void cutOff(String owner) {
    viewers
        .values()
        .forEach(ofJob ->
            ofJob.stream()
                .filter(viewer -> viewer.owner.equals(owner))
                .forEach(Subscription::cutOff));
  }

  /// {@return how many viewers are connected}
  int viewers() {
    return count.get();
  }

  /// {@return how many viewers of a job are connected}
  int viewers(String job) {
    Queue<Subscription> ofJob = viewers.get(job);
    return ofJob == null ? 0 : ofJob.size();
  }

  @Override
  public void start() {
    running = true;
  }

  /// Ends all streams, so that the web server need not wait for them.
  @Override
  public void stop() {
    running = false;
    viewers.values().forEach(ofJob -> ofJob.forEach(Subscription::cutOff));
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /// The events that one viewer has not been sent yet.
  final class Subscription implements AutoCloseable {
    private final String job;
    private final String owner;
    private final BlockingQueue<Message> queue = new ArrayBlockingQueue<>(QUEUE_SIZE);
    private volatile boolean cutOff;

    private Subscription(String job, String owner) {
      this.job = job;
      this.owner = owner;
    }

    private void offer(StreamEvent event) {
      if (event.sequence() == 0 && queue.remainingCapacity() < QUEUE_SIZE / 2) {
        return;
      }
      if (!cutOff && !queue.offer(new Message(event))) {
        cutOff();
      }
    }

    /// {@return whether the viewer fell behind, or the server is ending}
    boolean isCutOff() {
      return cutOff;
    }

    /// Waits for the next event.
    ///
    /// @return null when none came in time
    @Nullable StreamEvent next(long seconds) throws InterruptedException {
      Message message = queue.poll(seconds, TimeUnit.SECONDS);
      return message == null ? null : message.event;
    }

    private void cutOff() {
      cutOff = true;
      // Wakes a viewer that waits; a full queue wakes it by itself.
      queue.offer(new Message(null));
    }

    @Override
    public void close() {
      Queue<Subscription> ofJob = viewers.get(job);
      if (ofJob != null && ofJob.remove(this)) {
        count.decrementAndGet();
        forget(owner);
      }
    }
  }

  private void forget(String owner) {
    ofOwner.computeIfPresent(owner, (_, viewing) -> viewing == 1 ? null : viewing - 1);
  }

  private record Message(@Nullable StreamEvent event) {}
}
