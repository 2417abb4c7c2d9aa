package dev.espalier.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.runtime.link.TunerLink;
import dev.espalier.runtime.link.TunerLink.Inbound;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a worker makes of a tuner that does not let it in.
@Timeout(60)
class TunerLinkTest {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final Duration SHORT = Duration.ofSeconds(40);

  private final AtomicLong nanos = new AtomicLong();
  @TempDir private Path checkpoints;
  private ScriptedTuner tuner;

  @BeforeEach
  void open() throws Exception {
    tuner = new ScriptedTuner(1, checkpoints);
  }

  @AfterEach
  void close() {
    tuner.close();
  }

  @Test
  void whoIsAskedToWaitComesAgainUntilItIsLetIn() throws Exception {
    tuner.refuse("NOT_READY");
    try (TunerLink link = link(0, -1)) {
      awaitRefusals(2);
      pass(LONG);
      awaitRefusals(4);
      assertThat(link.inbox()).isEmpty();
      assertThat(link.notYet()).isEqualTo("as scripted");
      assertThat(link.brokenFor()).isEqualTo(LONG);

      tuner.refuse("");

      assertThat(next(link)).isInstanceOf(Inbound.Welcomed.class);
      assertThat(link.notYet()).isEmpty();
    }
  }

  @Test
  void strangerThatIsRefusedIsTurnedAwayAtOnce() throws Exception {
    tuner.refuse("UNAUTHENTICATED");
    try (TunerLink link = link(0, -1)) {
      assertThat(next(link)).isInstanceOf(Inbound.TurnedAway.class);
    }
  }

  @Test
  void workerOfAGenerationHasPatienceWithRefusals() throws Exception {
    tuner.refuse("UNAUTHENTICATED");
    try (TunerLink link = link(1, 0)) {
      awaitRefusals(2);
      pass(SHORT);
      awaitRefusals(4);
      assertThat(link.inbox()).isEmpty();

      pass(SHORT);

      assertThat(next(link)).isInstanceOf(Inbound.TurnedAway.class);
    }
  }

  @Test
  void nextServerGetsPatienceOfItsOwn() throws Exception {
    tuner.refuse("UNAUTHENTICATED");
    try (TunerLink link = link(1, 0)) {
      awaitRefusals(2);
      tuner.leave();
      awaitFailures(3);
      pass(LONG);
      tuner.comeBack();
      awaitRefusals(4);
      assertThat(link.inbox()).isEmpty();

      tuner.refuse("");

      assertThat(next(link)).isInstanceOf(Inbound.Welcomed.class);
    }
  }

  /// It is no fault of the program, which would end the job.
  @Test
  void reportsThatNobodyTakesEndTheWorkerWithoutBlame() {
    tuner.refuse("NOT_READY");
    try (TunerLink link = link(1, 0)) {
      var report = new WorkerReport.Forked(BranchId.ROOT, 0);
      assertThatThrownBy(
              () -> {
                for (int i = 0; i <= 200_000; i++) {
                  link.report(report);
                }
              })
          .isInstanceOfSatisfying(
              EspalierException.class,
              failure -> assertThat(failure.code()).isEqualTo(ErrorCode.WORKERS_LOST))
          .hasMessageContaining("200000 reports wait");
    }
  }

  private TunerLink link(int generation, int worker) {
    return TunerLink.open(
        new TunerLink.Identity(
            tuner.address(),
            ScriptedTuner.JOB,
            "token",
            generation,
            worker,
            "127.0.0.1:1",
            Optional.empty()),
        nanos::get);
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private void awaitRefusals(int count) throws InterruptedException {
    tuner.await(count + " refusals", () -> tuner.refusals() >= count);
  }

  /// In the tuner's place: connections break at once.
  private void awaitFailures(int count) throws IOException {
    int port = Integer.parseInt(tuner.address().substring(tuner.address().indexOf(':') + 1));
    try (var socket = new ServerSocket()) {
      Awaitility.await("the port is free")
          .ignoreExceptions()
          .until(() -> {
            socket.bind(new InetSocketAddress("127.0.0.1", port));
            return socket.isBound();
          });
      for (int i = 0; i < count; i++) {
        socket.accept().close();
      }
    }
  }

  private static Inbound next(TunerLink link) throws InterruptedException {
    return link.inbox().poll(20, TimeUnit.SECONDS);
  }
}
