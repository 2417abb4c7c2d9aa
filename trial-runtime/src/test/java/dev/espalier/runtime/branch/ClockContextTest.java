package dev.espalier.runtime.branch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.HeldOut;
import dev.espalier.api.model.Setting;
import dev.espalier.ps.ParameterServer;
import dev.espalier.ps.transport.Transport;
import dev.espalier.runtime.link.TunerLink.Assignment;
import dev.espalier.runtime.params.PsBackend;
import dev.espalier.sdk.TableDeclaration;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class ClockContextTest {
  private final ParameterServer server =
      PsBackend.openServer(1, 0, 1 << 20, List.of(TableDeclaration.dense("t", 1, 1, "sgd")));
  private final PsBackend parameters =
      new PsBackend(server, Transport.inProcess(List.of(server.shard())));
  private final ClockContext context =
      new ClockContext(
          new Assignment(
              1,
              0,
              1,
              "p",
              Map.of(),
              "",
              7,
              "",
              HeldOut.NOTHING,
              Communication.PLAIN,
              0,
              Duration.ZERO),
          parameters);

  @AfterEach
  void close() {
    parameters.close();
  }

  private long[] draws(int count) {
    // As a program does that asks for the stream anew for each sample.
    return LongStream.range(0, count).map(_ -> context.random().nextLong()).toArray();
  }

  @Test
  void drawsOfAClockDifferAndComeAgainWithIt() {
    context.at(Setting.EMPTY, new int[0], 5);
    long[] drawn = draws(10);
    assertThat(LongStream.of(drawn).distinct()).hasSize(10);
    context.at(Setting.EMPTY, new int[0], 6);
    assertThat(draws(10)).doesNotContain(drawn);
    context.at(Setting.EMPTY, new int[0], 5);
    assertThat(draws(10)).containsExactly(drawn);
    context.at(Setting.EMPTY, new int[0], 6).withStream(5);
    assertThat(draws(10)).containsExactly(drawn);
  }

  @Test
  void rateOfAnEmptySettingIsWhatTheServerStepsWith() {
    parameters.create(BranchId.ROOT);
    double rate = parameters.select(BranchId.ROOT, Setting.EMPTY, 1);
    assertThat(context.at(Setting.EMPTY, new int[0], 0).withLearningRate(rate).learningRate())
        .isEqualTo(0.01);
    parameters.table("t").addAll(new float[] {1});
    parameters.tick(1);
    parameters.select(BranchId.ROOT, Setting.EMPTY, 1);
    assertThat(parameters.table("t").readAll()).containsExactly(-0.01f);
  }
}
