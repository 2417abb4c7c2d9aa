package dev.espalier.ps.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.kernel.ScalarRowKernels;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.Shard;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardConfig;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.Factors;
import dev.espalier.ps.table.RowBatch;
import dev.espalier.ps.table.RowSelection;
import dev.espalier.ps.table.RowValues;
import dev.espalier.ps.table.TableSpec;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class FrameCodecTest {
  private static final BranchRef BRANCH = new BranchRef(3);

  static List<ShardCommand> commands() {
    List<RowBatch> batches =
        List.of(
            new RowBatch(0, new RowSelection.Range(5, 2), new float[] {1, Float.NaN}),
            new RowBatch(1, new RowSelection.Keys(new long[] {9, 1L << 40}), new float[] {3, -0f}),
            new RowBatch(2, new RowSelection.Range(0, 0), new float[0]));
    return List.of(
        new ShardCommand.Read(
            BRANCH, 1, 1L << 33, new Staleness(7), 2, new RowSelection.Keys(new long[] {4, 2})),
        new ShardCommand.Read(
            BRANCH, 1, 0, new Staleness(0), 2, new RowSelection.Range(1L << 34, 11)),
        new ShardCommand.Push(
            BRANCH, 0, 12, new Staleness(1), new StepSize(0.1, Double.NaN), 64, batches),
        new ShardCommand.Assign(BRANCH, 2, batches),
        new ShardCommand.Create(BRANCH, 4),
        new ShardCommand.Fork(new BranchRef(8), BRANCH, 5),
        new ShardCommand.Free(BRANCH, 6),
        new ShardCommand.Save(BRANCH, 6),
        new ShardCommand.Barrier("grüße-1", 7),
        new ShardCommand.Withdraw("", 8),
        new ShardCommand.Explain(9));
  }

  static List<ShardReply> replies() {
    return List.of(
        new ShardReply.Acknowledged(),
        new ShardReply.Rows(new float[] {1, 2, Float.NEGATIVE_INFINITY}),
        new ShardReply.BarrierState(true),
        new ShardReply.BarrierState(false),
        new ShardReply.SnapshotTaken(77),
        new ShardReply.Explanation("waits"),
        new ShardReply.Failed(PsFault.CLOCK_ORDER, "why"));
  }

  @ParameterizedTest
  @MethodSource("commands")
  void commandsComeBack(ShardCommand command) {
    ByteBuffer frame = FrameCodec.encode(command);
    assertThat(frame.order(ByteOrder.LITTLE_ENDIAN).getInt(4)).isEqualTo(frame.remaining());
    assertThat(FrameCodec.decodeCommand(frame))
        .usingRecursiveComparison()
        .withEqualsForType((a, b) -> Float.compare(a, b) == 0, Float.class)
        .withEqualsForType((a, b) -> Double.compare(a, b) == 0, Double.class)
        .isEqualTo(command);
    assertThat(FrameCodec.decodeCommand(frame)).hasSameClassAs(command);
  }

  @ParameterizedTest
  @MethodSource("replies")
  void repliesComeBack(ShardReply reply) {
    ByteBuffer frame = FrameCodec.encode(reply);
    assertThat(FrameCodec.decodeReply(frame)).usingRecursiveComparison().isEqualTo(reply);
  }

  @Test
  void noFactorsAreSentThatWouldBeRefused() {
    assertThat(Factors.areSmaller(1 << 15, 1 << 14, 8)).isTrue();
    assertThat(Factors.areSmaller(1 << 15, 1 << 15, 8)).isFalse();
  }

  @Test
  void theFormatDoesNotChangeUnnoticed() {
    ByteBuffer frame = FrameCodec.encode(new ShardCommand.Fork(new BranchRef(2), BRANCH, 1));
    assertThat(frame.array())
        .containsExactly(0x45, 0x50, 2, 5, 20, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0);
  }

  @Test
  void aPartOfAnArrayIsSentAsIfItWereAll() {
    var rows = new RowSelection.Keys(new long[] {7, 3});
    float[] beside = {9, 1, 2, 3, 4, 9};
    RowBatch part = new RowBatch(0, rows, new RowValues.Slice(beside, 1, 4, () -> {}));
    RowBatch whole = new RowBatch(0, rows, new float[] {1, 2, 3, 4});
    assertThat(part.columns()).isEqualTo(2);
    assertThat(part.inArray().values()).containsExactly(whole.values());
    assertThat(FrameCodec.encode(new ShardCommand.Assign(BRANCH, 2, List.of(part))).array())
        .containsExactly(
            FrameCodec.encode(new ShardCommand.Assign(BRANCH, 2, List.of(whole))).array());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void damagedFramesAreRefusedOrMeanSomethingElse(ShardCommand command) {
    byte[] bytes = FrameCodec.encode(command).array();
    for (int length = 0; length < bytes.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(bytes, 0, length);
      assertThatThrownBy(() -> FrameCodec.decodeCommand(cut))
          .isInstanceOfSatisfying(
              PsException.class, e -> assertThat(e.fault()).isEqualTo(PsFault.BAD_FRAME));
    }
    long seed = 5;
    Random random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      byte[] damaged = bytes.clone();
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      try {
        FrameCodec.decodeCommand(ByteBuffer.wrap(damaged));
      } catch (PsException e) {
        assertThat(e.fault()).as("seed %d, round %d", seed, i).isEqualTo(PsFault.BAD_FRAME);
      }
    }
  }

  @Test
  void theEndpointAnswersABadFrameWithAFailure() {
    try (Shard shard =
        new Shard(
            new ShardConfig(0, 1, 4096, 4096, 1 << 20),
            List.of(TableSpec.dense("w", 1, 1, "sgd")),
            new ScalarRowKernels())) {
      ByteBuffer answer = new ShardEndpoint(shard).handle(ByteBuffer.allocate(12)).join();
      assertThat(FrameCodec.decodeReply(answer))
          .isInstanceOfSatisfying(
              ShardReply.Failed.class, f -> assertThat(f.fault()).isEqualTo(PsFault.BAD_FRAME));
    }
  }
}
