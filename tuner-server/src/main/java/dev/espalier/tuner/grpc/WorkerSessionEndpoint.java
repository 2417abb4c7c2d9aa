package dev.espalier.tuner.grpc;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.Attach;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.WorkerMessage;
import dev.espalier.api.wire.v1.WorkerServiceGrpc;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// The stream a worker opens.
///
/// Handlers only decode and hand over, so the server may run them on the transport's own thread.
/// What may take its time, to look an API token up, has a thread of its own.
public final class WorkerSessionEndpoint extends WorkerServiceGrpc.WorkerServiceImplBase {
  private static final Logger log = LoggerFactory.getLogger(WorkerSessionEndpoint.class);
  private static final Context.Key<String> SECRET = Context.key("worker-secret");
  private static final Metadata.Key<String> SECRET_HEADER =
      Metadata.Key.of(WireCodec.SECRET_KEY, Metadata.ASCII_STRING_MARSHALLER);

  private static final int MAX_CHECKS = 64;
  private static final String UNKNOWN = "unknown job, or wrong secret for it";
  private static final Pattern JOB_ID = Pattern.compile("job_[0-9a-zA-Z_]{1,64}");

  /// A stream on which nobody attaches for so long is closed.
  private static final Duration ATTACH_WITHIN = Duration.ofSeconds(10);

  private final GrpcWorkerGateway gateway;
  private final Credentials credentials;
  private final Semaphore checks = new Semaphore(MAX_CHECKS);

  /// Streams of workers that were let in with an API token.
  private final Set<WorkerStream> byToken = ConcurrentHashMap.newKeySet();

  private final AtomicLong revocations = new AtomicLong();
  private final Duration attachWithin;

  /// What is known of the secrets that workers show. May block, and throw `DATABASE_AWAY`.
  @FunctionalInterface
  public interface Credentials {
    /// {@return whether a text is a valid API token: workers that come by themselves show one}
    boolean isApiToken(String text);

    /// {@return whether a text is the secret of the workers that a job has, by what is stored:
    /// asked for while the job's log is still being read}
    default boolean isOfWorkers(String job, String text) {
      return false;
    }
  }

  public WorkerSessionEndpoint(GrpcWorkerGateway gateway, Credentials credentials) {
    this(gateway, credentials, ATTACH_WITHIN);
  }

  WorkerSessionEndpoint(GrpcWorkerGateway gateway, Credentials credentials, Duration attachWithin) {
    this.gateway = gateway;
    this.credentials = credentials;
    this.attachWithin = attachWithin;
    gateway.onRevocation(this::checkAgain);
  }

  private void checkAgain() {
    revocations.incrementAndGet();
    byToken.forEach(
        stream -> Thread.ofVirtual().name("worker-token").start(stream::leaveIfRevoked));
  }

  private Token look(String job, String secret) {
    try {
      if (credentials.isApiToken(secret)) {
        return Token.VALID;
      }
      return isEarly(job) && credentials.isOfWorkers(job, secret) ? Token.EARLY : Token.WRONG;
    } catch (RuntimeException failure) {
      log.warn("job={} a worker's token cannot be checked: {}", job, failure.getMessage());
      return Token.UNKNOWN;
    }
  }

  /// {@return whether the secret of a job's workers is not known yet: its log is being read, or it
  /// cannot be resumed before its program is there again}
  private boolean isEarly(String job) {
    return gateway.crew(job) == null && gateway.isExpected(job);
  }

  /// Turns away every call that shows no secret at all, and carries the secret to the handler.
  public static final class SecretInterceptor implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String secret = headers.get(SECRET_HEADER);
      if (secret == null || secret.isEmpty()) {
        call.close(
            Status.UNAUTHENTICATED.withDescription("a worker secret or API token is needed"),
            new Metadata());
        return new ServerCall.Listener<>() {};
      }
      return Contexts.interceptCall(
          Context.current().withValue(SECRET, secret), call, headers, next);
    }
  }

  @Override
  public StreamObserver<WorkerMessage> session(StreamObserver<TunerMessage> out) {
    String secret = SECRET.get();
    var call = (ServerCallStreamObserver<TunerMessage>) out;
    // One message at a time: who has no room for reports leaves them with the worker.
    call.disableAutoRequest();
    call.request(1);
    return new WorkerStream(call, secret == null ? "" : secret);
  }

  private enum Token {
    VALID,
    WRONG,
    /// No token, but the secret of the workers of a job that is not open yet.
    EARLY,
    /// Nobody can tell now.
    UNKNOWN
  }

  /// Guarded by its own lock, which comes before the crew's.
  private final class WorkerStream implements StreamObserver<WorkerMessage> {
    private final ServerCallStreamObserver<TunerMessage> call;
    private final StreamObserver<TunerMessage> out;
    private final String secret;
    private @Nullable WorkerCrew crew;
    private int worker = -1;
    private boolean hasAsked;
    private boolean isGone;

    private WorkerStream(ServerCallStreamObserver<TunerMessage> call, String secret) {
      this.secret = secret;
      this.call = call;
      this.out = new SerializedStream(call);
      CompletableFuture.delayedExecutor(attachWithin.toMillis(), TimeUnit.MILLISECONDS)
          .execute(this::closeUnlessAttached);
    }

    private synchronized void closeUnlessAttached() {
      if (!hasAsked && !isGone) {
        isGone = true;
        WorkerCrew.reject(
            out,
            ErrorCode.UNAUTHENTICATED.name(),
            "nobody attached within " + attachWithin.toMillis() + " ms");
      }
    }

    @Override
    public synchronized void onNext(WorkerMessage message) {
      if (isGone) {
        return;
      }
      try {
        WorkerCrew known = crew;
        if (known != null) {
          known.heard(worker, Instant.now());
        }
        switch (message.getBodyCase()) {
          case ATTACH -> attach(message.getAttach());
          case REPORT -> {
            WorkerCrew of = crew;
            if (of != null) {
              of.listener()
                  .reported(
                      worker,
                      message.getReport().getSequence(),
                      WireCodec.decode(message.getReport()));
            }
          }
          case APPLIED -> {
            WorkerCrew of = crew;
            if (of != null) {
              of.applied(worker, message.getApplied().getSequence());
            }
          }
          case STALL -> {
            WorkerCrew of = crew;
            if (of != null) {
              of.stalled(worker, message.getStall());
            }
          }
          case BODY_NOT_SET -> {}
        }
      } catch (EspalierException refused) {
        log.warn("worker={} message refused: {}", worker, refused.getMessage());
        gone("its message was refused");
        WorkerCrew.reject(out, refused.code().name(), String.valueOf(refused.getMessage()));
      }
      askForNext();
    }

    private void askForNext() {
      WorkerCrew of = crew;
      if (isGone) {
        return;
      }
      if (of == null) {
        call.request(1);
      } else {
        of.ask(() -> call.request(1));
      }
    }

    private void attach(Attach attach) {
      if (hasAsked) {
        return;
      }
      hasAsked = true;
      if (!JOB_ID.matcher(attach.getJob()).matches()) {
        // What a stranger calls a job goes into no log.
        WorkerCrew.reject(out, ErrorCode.UNAUTHENTICATED.name(), UNKNOWN);
        return;
      }
      WorkerCrew found = gateway.crew(attach.getJob());
      if (found != null && found.admits(secret)) {
        sit(found, attach);
      } else if (!gateway.knowsAll()) {
        refuse(attach, ErrorCode.NOT_READY, "the server is starting");
      } else if (checks.tryAcquire()) {
        Thread.ofVirtual().name("worker-token").start(() -> check(attach));
      } else {
        refuse(attach, ErrorCode.NOT_READY, "too many workers come at a time");
      }
    }

    private void check(Attach attach) {
      long before = revocations.get();
      try {
        answer(attach, look(attach.getJob(), secret));
      } finally {
        checks.release();
      }
      if (revocations.get() != before) {
        leaveIfRevoked();
      }
    }

    /// A token that nobody can look up now counts as valid: the database was there when it was
    /// revoked, and whoever comes back is looked up again.
    private void leaveIfRevoked() {
      WorkerCrew of;
      synchronized (this) {
        of = crew;
      }
      if (of == null || of.admits(secret)) {
        // The secret of its workers is no token.
        return;
      }
      switch (look(of.job(), secret)) {
        case VALID -> of.remember(secret);
        case UNKNOWN, EARLY -> {}
        case WRONG -> {
          log.warn("job={} worker={} let go: its token was revoked", of.job(), worker);
          gone("its token was revoked");
          WorkerCrew.reject(
              out,
              ErrorCode.UNAUTHENTICATED.name(),
              "the API token of this worker was revoked; start it again with a valid one");
        }
      }
    }

    private synchronized void answer(Attach attach, Token token) {
      if (isGone) {
        return;
      }
      String job = attach.getJob();
      WorkerCrew found = gateway.crew(job);
      if (found != null && found.admits(secret)) {
        // The job has been opened since.
        sit(found, attach);
        return;
      }
      switch (token) {
        case VALID -> {
          if (found != null) {
            found.remember(secret);
            byToken.add(this);
            sit(found, attach);
          } else if (gateway.isExpected(job)) {
            refuse(attach, ErrorCode.NOT_READY, "the job waits for its turn or is starting");
          } else {
            refuse(attach, ErrorCode.NOT_FOUND, "no such job runs: it has ended or never was");
          }
        }
        case EARLY -> refuse(attach, ErrorCode.NOT_READY, "the job is not open yet");
        // One answer for both, so that nobody without a token learns which jobs exist.
        case WRONG -> refuse(attach, ErrorCode.UNAUTHENTICATED, UNKNOWN);
        case UNKNOWN -> {
          if (found != null && found.remembers(secret)) {
            byToken.add(this);
            sit(found, attach);
          } else {
            refuse(attach, ErrorCode.NOT_READY, "the server's database is away");
          }
        }
      }
    }

    private void refuse(Attach attach, ErrorCode code, String message) {
      String job = attach.getJob();
      // One that waits asks every other second.
      log.atLevel(code == ErrorCode.NOT_READY ? Level.DEBUG : Level.WARN)
          .log(
              "job={} worker={} attach refused code={}: {}",
              job,
              attach.getWorker(),
              code,
              message);
      WorkerCrew.reject(out, code.name(), message);
    }

    private void sit(WorkerCrew found, Attach attach) {
      found
          .attach(attach, out)
          .ifPresentOrElse(
              number -> {
                crew = found;
                worker = number;
                found.heard(number, Instant.now());
              },
              () -> byToken.remove(this));
    }

    @Override
    public void onError(Throwable failure) {
      gone(String.valueOf(Status.fromThrowable(failure).getCode()));
    }

    @Override
    public void onCompleted() {
      gone("closed by the worker");
      try {
        out.onCompleted();
      } catch (IllegalStateException alreadyClosed) {
        log.debug("worker={} stream was closed before", worker);
      }
    }

    private synchronized void gone(String reason) {
      isGone = true;
      byToken.remove(this);
      WorkerCrew of = crew;
      if (of != null) {
        of.detach(worker, out, reason);
      }
    }
  }

  /// Writes that meet a stream which is gone are dropped: the worker hears them when it is back.
  private static final class SerializedStream implements StreamObserver<TunerMessage> {
    private final ServerCallStreamObserver<TunerMessage> out;
    private boolean isClosed;

    private SerializedStream(ServerCallStreamObserver<TunerMessage> out) {
      this.out = out;
      out.setOnCancelHandler(() -> {});
    }

    @Override
    public synchronized void onNext(TunerMessage message) {
      if (!isClosed && !out.isCancelled()) {
        out.onNext(message);
      }
    }

    @Override
    public synchronized void onError(Throwable failure) {
      if (!isClosed && !out.isCancelled()) {
        isClosed = true;
        out.onError(failure);
      }
    }

    @Override
    public synchronized void onCompleted() {
      if (!isClosed && !out.isCancelled()) {
        isClosed = true;
        out.onCompleted();
      }
    }
  }
}
