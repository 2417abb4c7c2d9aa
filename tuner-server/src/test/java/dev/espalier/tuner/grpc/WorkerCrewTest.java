package dev.espalier.tuner.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.wire.WireCodec;
import dev.espalier.api.wire.v1.Attach;
import dev.espalier.api.wire.v1.Stall;
import dev.espalier.api.wire.v1.TunerMessage;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Who gets which seat.
class WorkerCrewTest {
  private final CrewOfTwo listener = new CrewOfTwo();
  private final WorkerCrew crew = new WorkerCrew(CrewOfTwo.group(false), listener);

  @Test
  void whoComesBackGetsTheNumberItHadAndOthersTheRest() {
    assertThat(crew.attach(newcomer(1, "b:1"), new Said())).contains(1);
    assertThat(crew.attach(newcomer(1, "a:1"), new Said())).contains(0);
  }

  @Test
  void seatOfOneThatLeftBeforeAllWereThereIsFree() {
    var left = new Said();
    crew.attach(newcomer(-1, "a:1"), left);
    crew.detach(0, left, "its process ended");

    assertThat(crew.attach(newcomer(-1, "c:1"), new Said())).contains(0);
    var second = new Said();
    assertThat(crew.attach(newcomer(-1, "b:1"), second)).contains(1);
    assertThat(second.peers()).containsExactly("c:1", "b:1");
  }

  /// One that lost its link for a moment comes back to the seat that another has got meanwhile.
  @Test
  void whoeverSatWhereAnotherSitsNowIsHeardToLeaveFirst() {
    crew.attach(newcomer(-1, "b:1"), new Said());
    crew.attach(known(0, "a:1"), new Said());

    assertThat(listener.heard()).containsExactly("attached 0", "detached 0", "attached 0");
  }

  /// Else the job would take a worker for there that is gone.
  @Test
  void linkThatBreaksAtOnceIsHeardToBreakAfterItBegan() throws InterruptedException {
    var stream = new Said();
    var breaking = new Thread(() -> crew.detach(0, stream, "its machine is gone"));
    listener.beforeAttached(() -> {
      breaking.start();
      try {
        breaking.join(200);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    });

    crew.attach(newcomer(0, "a:1"), stream);
    breaking.join();

    assertThat(listener.heard()).containsExactly("attached 0", "detached 0");
  }

  @Test
  void oneTooManyWaitsForASeat() {
    crew.attach(newcomer(-1, "a:1"), new Said());
    crew.attach(newcomer(-1, "b:1"), new Said());
    var spare = new Said();

    assertThat(crew.attach(newcomer(-1, "c:1"), spare)).isEmpty();

    assertThat(spare.rejection()).isEqualTo("NOT_READY");
  }

  @Test
  void onlyThoseOfAGenerationThatBeganEarlierMayComeBackToIt() {
    var resumed = new WorkerCrew(CrewOfTwo.group(true), listener);
    var newcomer = new Said();

    assertThat(resumed.attach(newcomer(-1, "c:1"), newcomer)).isEmpty();
    assertThat(newcomer.rejection()).isEqualTo("NOT_READY");

    assertThat(resumed.attach(known(0, "a:1"), new Said())).contains(0);
    assertThat(resumed.attach(known(1, "b:1"), new Said())).contains(1);
  }

  @Test
  void placeThatOthersKnowIsNotGivenToAnotherProcess() {
    var first = new Said();
    crew.attach(newcomer(-1, "a:1"), first);
    crew.attach(newcomer(-1, "b:1"), new Said());
    var other = new Said();

    assertThat(crew.attach(known(0, "c:1"), other)).isEmpty();
    assertThat(other.rejection()).isEqualTo("WRONG_GENERATION");

    assertThat(crew.attach(known(0, "a:1"), new Said())).contains(0);
    assertThat(first.rejection()).isEqualTo("REPLACED");
  }

  @Test
  void workerOfAnotherProtocolIsToldSo() {
    var old = new Said();

    crew.attach(newcomer(-1, "a:1").toBuilder().setProtocolVersion(1).build(), old);

    assertThat(old.rejection()).isEqualTo("VERSION_MISMATCH");
  }

  @Test
  void stallIsSeenUntilTheWorkerGoesOnOrComesBack() {
    crew.attach(newcomer(-1, "a:1"), new Said());
    crew.stalled(0, Stall.newBuilder().setMessage("clock 7 has run for 61 s").build());
    assertThat(crew.view().getFirst().stall()).isEqualTo("clock 7 has run for 61 s");

    crew.stalled(0, Stall.getDefaultInstance());
    assertThat(crew.view().getFirst().stall()).isNull();

    crew.stalled(0, Stall.newBuilder().setMessage("clock 8").setTimedOut(true).build());
    crew.attach(known(0, "a:1"), new Said());
    assertThat(crew.view().getFirst().stall()).isNull();
    assertThat(listener.heard())
        .contains("stall of 0: clock 7 has run for 61 s", "stall of 0: clock 8, timed out");
  }

  private static Attach newcomer(int wished, String address) {
    return attach(0, wished, address);
  }

  private static Attach known(int worker, String address) {
    return attach(CrewOfTwo.GENERATION, worker, address);
  }

  private static Attach attach(int generation, int worker, String address) {
    return Attach.newBuilder()
        .setJob(CrewOfTwo.JOB)
        .setGeneration(generation)
        .setWorker(worker)
        .setShardAddress(address)
        .setProtocolVersion(WireCodec.PROTOCOL_VERSION)
        .build();
  }

  /// What a worker was told.
  private static final class Said implements StreamObserver<TunerMessage> {
    private final List<TunerMessage> messages = new ArrayList<>();

    @Override
    public void onNext(TunerMessage message) {
      messages.add(message);
    }

    @Override
    public void onError(Throwable failure) {
      throw new AssertionError("a crew ends no stream with an error", failure);
    }

    @Override
    public void onCompleted() {}

    private String rejection() {
      return messages.getLast().getReject().getCode();
    }

    private List<String> peers() {
      return messages.stream()
          .filter(TunerMessage::hasPeers)
          .findFirst()
          .orElseThrow()
          .getPeers()
          .getShardAddressesList();
    }
  }
}
