package dev.espalier.tuner.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.TunerMessage;
import dev.espalier.api.wire.v1.WorkerServiceGrpc;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Inbound;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/// Who is let in, who is asked to wait, and who is turned away: real links and a real port.
@Timeout(120)
class WorkerSessionEndpointTest {
  private static final String TOKEN = "token";

  private final GrpcWorkerGateway gateway = new GrpcWorkerGateway();
  private final CrewOfTwo listener = new CrewOfTwo();
  private final List<AutoCloseable> open = new ArrayList<>();
  private volatile Predicate<String> isApiToken = TOKEN::equals;
  private volatile Predicate<String> isOfWorkers = _ -> false;
  private WorkerServer server = serve(0);

  private WorkerServer serve(int port) {
    return WorkerServer.start(
        "127.0.0.1",
        port,
        new WorkerSessionEndpoint(
            gateway,
            new WorkerSessionEndpoint.Credentials() {
              @Override
              public boolean isApiToken(String text) {
                return isApiToken.test(text);
              }

              @Override
              public boolean isOfWorkers(String job, String text) {
                return job.equals(CrewOfTwo.JOB) && isOfWorkers.test(text);
              }
            }));
  }

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable one : open) {
      one.close();
    }
    server.close();
  }

  @Test
  void whoComesBeforeTheServerKnowsItsJobsWaits() throws Exception {
    TunerLink byToken = link(TOKEN);
    TunerLink bySecret = link(CrewOfTwo.SECRET);
    awaitWaiting(byToken, "the server is starting");
    awaitWaiting(bySecret, "the server is starting");

    gateway.expect(CrewOfTwo.JOB);
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();

    assertThat(next(byToken)).isInstanceOf(Inbound.Welcomed.class);
    assertThat(next(bySecret)).isInstanceOf(Inbound.Welcomed.class);
  }

  @Test
  void workerOfAJobThatIsQueuedWaitsUnlessItsTokenIsWrong() throws Exception {
    gateway.expect(CrewOfTwo.JOB);
    gateway.expectNoMore();
    TunerLink valid = link(TOKEN);

    assertThat(next(link("wrong"))).isEqualTo(refusal("UNAUTHENTICATED"));
    awaitWaiting(valid, "waits for its turn");

    gateway.open(CrewOfTwo.group(false), listener);

    assertThat(next(valid)).isInstanceOf(Inbound.Welcomed.class);
  }

  /// After a restart a job's own workers may come before its log is read, which may take minutes.
  @Test
  void workersOfAJobThatIsNotOpenYetWaitForIt() throws Exception {
    var logged = new ListAppender<ILoggingEvent>();
    var log = (Logger) LoggerFactory.getLogger(WorkerSessionEndpoint.class);
    logged.start();
    log.addAppender(logged);
    isOfWorkers = CrewOfTwo.SECRET::equals;
    try {
      gateway.expect(CrewOfTwo.JOB);
      gateway.expectNoMore();
      TunerLink early = link(CrewOfTwo.SECRET);
      assertThat(next(link("wrong"))).isEqualTo(refusal("UNAUTHENTICATED"));
      awaitWaiting(early, "the job is not open yet");
      gateway.open(CrewOfTwo.group(false), listener);
      assertThat(next(early)).isInstanceOf(Inbound.Welcomed.class);
    } finally {
      log.detachAppender(logged);
    }

    assertThat(logged.list)
        .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.INFO))
        .extracting(ILoggingEvent::getFormattedMessage)
        .singleElement()
        .asString()
        .contains("attach refused code=UNAUTHENTICATED");
  }

  /// Its job is opened, and some token revoked, while it is looked up whether its secret is a
  /// token.
  @Test
  void aWorkerWithTheSecretOfItsJobIsNoMatterOfRevokedTokens() throws Exception {
    gateway.expect(CrewOfTwo.JOB);
    gateway.expectNoMore();
    isApiToken =
        _ -> {
          if (gateway.workers(CrewOfTwo.JOB).isEmpty()) {
            gateway.open(CrewOfTwo.group(false), listener);
            gateway.tokenRevoked();
          }
          return false;
        };
    TunerLink link = link(CrewOfTwo.SECRET);

    assertThat(next(link)).isInstanceOf(Inbound.Welcomed.class);
    Awaitility.await()
        .during(Duration.ofMillis(300))
        .until(() -> listener.heard().equals(List.of("attached 0")));
  }

  @Test
  void onlyWhoShowsATokenLearnsThatAJobIsGone() throws Exception {
    gateway.expect(CrewOfTwo.JOB);
    gateway.forget(CrewOfTwo.JOB);
    gateway.expectNoMore();

    assertThat(next(link("wrong"))).isEqualTo(refusal("UNAUTHENTICATED"));
    assertThat(next(link(TOKEN)))
        .isEqualTo(
            new Inbound.TurnedAway("NOT_FOUND", "no such job runs: it has ended or never was"));
  }

  @Test
  void whileTheDatabaseIsAwayNewWorkersWaitAndKnownOnesComeBack() throws Exception {
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    TunerLink known = link(TOKEN);
    assertThat(next(known)).isInstanceOf(Inbound.Welcomed.class);
    isApiToken =
        _ -> {
          throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
        };
    TunerLink other = link("another token");
    awaitWaiting(other, "database is away");

    int port = server.port();
    server.close();
    server = serve(port);

    awaitHeard("attached 0", 2);
    isApiToken = _ -> true;
    assertThat(next(other)).isInstanceOf(Inbound.Welcomed.class);
  }

  @Test
  void databaseThatHangsHoldsUpNobodyElse() throws Exception {
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    int hanging = Math.min(60, 4 * Runtime.getRuntime().availableProcessors());
    var asked = new CountDownLatch(hanging);
    var answers = new CountDownLatch(1);
    isApiToken =
        _ -> {
          asked.countDown();
          awaitQuietly(answers);
          return false;
        };
    for (int i = 0; i < hanging; i++) {
      link(TOKEN);
    }
    assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();

    TunerLink local = link(CrewOfTwo.SECRET);

    assertThat(next(local)).isInstanceOf(Inbound.Welcomed.class);
    local.report(new WorkerReport.Ready(10, 1));
    awaitHeard("report 1 of 0", 1);
    answers.countDown();
  }

  @Test
  void reportsForWhichThereIsNoRoomStayWithTheWorker() throws Exception {
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    listener.room(2);
    TunerLink first = link(CrewOfTwo.SECRET);
    assertThat(next(first)).isInstanceOf(Inbound.Welcomed.class);
    for (int i = 0; i < 5; i++) {
      first.report(new WorkerReport.Ready(10, 1));
    }
    awaitHeard("report 2 of 0", 1);
    first.close();
    awaitHeard("detached 0", 1);
    // What was not asked for is lost with the link: the worker keeps it, not the server.
    assertThat(listener.heard()).doesNotContain("report 3 of 0");

    TunerLink second = link(CrewOfTwo.SECRET);
    assertThat(next(second)).isInstanceOf(Inbound.Welcomed.class);
    for (int i = 0; i < 5; i++) {
      second.report(new WorkerReport.Ready(10, 1));
    }
    listener.room(100);
    gateway.listen(CrewOfTwo.JOB);
    awaitHeard("report 5 of 0", 1);
    assertThat(listener.heard().stream().filter(one -> one.startsWith("report")).toList())
        .containsExactly(
            "report 1 of 0",
            "report 2 of 0",
            "report 1 of 0",
            "report 2 of 0",
            "report 3 of 0",
            "report 4 of 0",
            "report 5 of 0");
  }

  @Test
  void workersThatAreLetGoLookForTheirJobAgain() throws Exception {
    gateway.expect(CrewOfTwo.JOB);
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    TunerLink link = link(TOKEN);
    assertThat(next(link)).isInstanceOf(Inbound.Welcomed.class);

    gateway.abandon(CrewOfTwo.JOB);
    awaitWaiting(link, "waits for its turn");
    gateway.open(CrewOfTwo.group(false), listener);

    awaitHeard("attached 0", 2);
  }

  @Test
  void whoLeavesWhileItsTokenIsLookedUpGetsNoSeat() throws Exception {
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    var asked = new CountDownLatch(1);
    var answers = new CountDownLatch(1);
    isApiToken =
        _ -> {
          asked.countDown();
          awaitQuietly(answers);
          return true;
        };
    TunerLink left = link(TOKEN);
    assertThat(asked.await(20, TimeUnit.SECONDS)).isTrue();
    left.close();
    answers.countDown();

    assertThat(next(link(CrewOfTwo.SECRET))).isInstanceOf(Inbound.Welcomed.class);
    assertThat(next(link(CrewOfTwo.SECRET))).isInstanceOf(Inbound.Welcomed.class);
    assertThat(listener.heard()).contains("attached 0", "attached 1");
  }

  @Test
  void whoseTokenIsRevokedIsLetGoAndComesBackOnlyWithAValidOne() throws Exception {
    gateway.open(CrewOfTwo.group(false), listener);
    gateway.expectNoMore();
    TunerLink byToken = link(TOKEN);
    assertThat(next(byToken)).isInstanceOf(Inbound.Welcomed.class);
    TunerLink bySecret = link(CrewOfTwo.SECRET);
    assertThat(next(bySecret)).isInstanceOf(Inbound.Welcomed.class);
    gateway.tokenRevoked();
    Thread.sleep(200);
    assertThat(listener.heard()).as("its token is valid").doesNotContain("detached 0");

    isApiToken = _ -> false;
    gateway.tokenRevoked();

    awaitHeard("detached 0", 1);
    isApiToken =
        _ -> {
          throw new EspalierException(ErrorCode.DATABASE_AWAY, "away");
        };
    Thread.sleep(1_000);
    assertThat(listener.heard()).as("nobody remembers its token").containsOnlyOnce("attached 0");
    assertThat(listener.heard()).doesNotContain("detached 1");
    isApiToken = TOKEN::equals;
    awaitHeard("attached 0", 2);
  }

  @Test
  void whatIsNoJobsNameIsTurnedAwayThoughTheServerStarts() throws Exception {
    assertThat(next(link("job_1\nINFO all is well", TOKEN))).isEqualTo(refusal("UNAUTHENTICATED"));
    assertThat(next(link("job_" + "x".repeat(100), TOKEN))).isEqualTo(refusal("UNAUTHENTICATED"));
  }

  @Test
  void streamOnWhichNobodyAttachesIsClosed() throws Exception {
    server.close();
    server =
        WorkerServer.start(
            "127.0.0.1",
            0,
            new WorkerSessionEndpoint(gateway, TOKEN::equals, Duration.ofMillis(100)));
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    open.add(channel::shutdownNow);
    var headers = new Metadata();
    headers.put(
        Metadata.Key.of(WireCodec.SECRET_KEY, Metadata.ASCII_STRING_MARSHALLER), "anything");
    var heard = new LinkedBlockingQueue<TunerMessage>();
    WorkerServiceGrpc.newStub(channel)
        .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
        .session(
            new StreamObserver<>() {
              @Override
              public void onNext(TunerMessage message) {
                heard.add(message);
              }

              @Override
              public void onError(Throwable failure) {}

              @Override
              public void onCompleted() {}
            });

    TunerMessage message = heard.poll(20, TimeUnit.SECONDS);

    assertThat(message).isNotNull();
    assertThat(message.getReject().getMessage()).contains("nobody attached within 100 ms");
  }

  private TunerLink link(String secret) {
    return link(CrewOfTwo.JOB, secret);
  }

  private TunerLink link(String job, String secret) {
    var link =
        TunerLink.open(
            new TunerLink.Identity(
                "127.0.0.1:" + server.port(), job, secret, 0, -1, "127.0.0.1:1", Optional.empty()));
    open.add(link);
    return link;
  }

  private static Inbound next(TunerLink link) throws InterruptedException {
    return link.inbox().poll(20, TimeUnit.SECONDS);
  }

  private static Inbound refusal(String code) {
    return new Inbound.TurnedAway(code, "unknown job, or wrong secret for it");
  }

  private static void awaitWaiting(TunerLink link, String why) {
    Awaitility.await().until(() -> link.notYet().contains(why));
    assertThat(link.inbox()).isEmpty();
  }

  private void awaitHeard(String what, int times) {
    Awaitility.await().until(() -> listener.heard().stream().filter(what::equals).count() == times);
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
