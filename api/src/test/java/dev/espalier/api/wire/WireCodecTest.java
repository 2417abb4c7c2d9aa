package dev.espalier.api.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.wire.v1.Command;
import dev.espalier.api.wire.v1.Report;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class WireCodecTest {
  private static final BranchId BRANCH = new BranchId(7);
  private static final Setting SETTING =
      Setting.of(Map.of("learningRate", 0.1 + 0.2, "momentum", 0.9, "batchSize", 64.0));

  static Stream<BranchCommand> commands() {
    return Stream.of(
        new BranchCommand.Create(BRANCH, SETTING),
        new BranchCommand.Restore(BRANCH, 12, SETTING),
        new BranchCommand.Fork(BRANCH, new BranchId(3), BranchKind.TRIAL, SETTING),
        new BranchCommand.Fork(BRANCH, new BranchId(3), BranchKind.EVALUATION, Setting.EMPTY),
        new BranchCommand.Fork(BRANCH, BranchId.ROOT, BranchKind.MAINLINE, SETTING),
        new BranchCommand.Schedule(BRANCH, 1L << 40, 1L << 41),
        new BranchCommand.Schedule(BRANCH, 90, 90, Shape.linearToZero(0, 90)),
        new BranchCommand.Schedule(BRANCH, 90, 90, Shape.linearToZero(1L << 40, 1L << 41)),
        new BranchCommand.Evaluate(BRANCH, 5),
        new BranchCommand.Probe(BRANCH, 6, 2000),
        new BranchCommand.Free(BRANCH),
        new BranchCommand.Checkpoint(BRANCH, 8),
        new BranchCommand.DropCheckpoint(8),
        new BranchCommand.Stop());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void commandSurvivesTheWire(BranchCommand command) throws Exception {
    var sequenced = new SequencedCommand(42, command);

    byte[] bytes = WireCodec.encode(sequenced).toByteArray();

    assertThat(WireCodec.decode(Command.parseFrom(bytes))).isEqualTo(sequenced);
  }

  static Stream<WorkerReport> reports() {
    return Stream.of(
        new WorkerReport.Ready(60_000, 64),
        new WorkerReport.Ready(58_000, 64, 2_000),
        new WorkerReport.Evaluated(
            4, Map.of(), 32, 0.1, List.of(0.5, Double.NaN), Map.of(), List.of(-0.25, Double.NaN)),
        new WorkerReport.Evaluated(
            5, Map.of("accuracy", 0.5), 10, 0.1, List.of(), Map.of("accuracy", 20L), List.of()),
        new WorkerReport.Progressed(
            BRANCH,
            10,
            List.of(1.5, Double.NaN, Double.POSITIVE_INFINITY),
            List.of(64L, 64L, 0L),
            List.of(0.001, 0.002, 1e-9)),
        new WorkerReport.Evaluated(3, Map.of("accuracy", 0.875, "loss", Double.NaN), 5_000, 0.2),
        new WorkerReport.CheckpointWritten(4, 1L << 33),
        new WorkerReport.CheckpointFailed(4, "no space left"),
        new WorkerReport.Forked(BRANCH, 3e-6),
        new WorkerReport.Failed(ErrorCode.INVALID_DATA, "a.gz: line 3"));
  }

  @ParameterizedTest
  @MethodSource("reports")
  void reportSurvivesTheWire(WorkerReport report) throws Exception {
    byte[] bytes = WireCodec.encode(9, report).toByteArray();

    Report wire = Report.parseFrom(bytes);

    assertThat(wire.getSequence()).isEqualTo(9);
    assertThat(WireCodec.decode(wire)).isEqualTo(report);
  }

  @Test
  void refusesACommandWithoutABody() {
    assertThatThrownBy(() -> WireCodec.decode(Command.newBuilder().setSequence(3).build()))
        .isInstanceOf(EspalierException.class)
        .hasMessageContaining("command 3");
  }

  @Test
  void takesAnUnknownErrorCodeForAnInternalFailure() {
    Report wire =
        Report.newBuilder()
            .setFailed(
                dev.espalier.api.wire.v1.Failed.newBuilder()
                    .setCode("FROM_THE_FUTURE")
                    .setMessage("m"))
            .build();

    assertThat(WireCodec.decode(wire)).isEqualTo(new WorkerReport.Failed(ErrorCode.INTERNAL, "m"));
  }

  /// A tuner takes no message of megabytes, and would never hear of the failure.
  @Test
  void textsThatQuoteWholeBatchesAreShortened() {
    String text = "bad batch " + "1.0, ".repeat(1_000_000);
    String shown = "bad batch " + "1.0, ".repeat(1_998) + "... (5000010 characters)";

    assertThat(
            WireCodec.decode(
                WireCodec.encode(1, new WorkerReport.Failed(ErrorCode.INVALID_DATA, text))))
        .isEqualTo(new WorkerReport.Failed(ErrorCode.INVALID_DATA, shown));
    assertThat(WireCodec.decode(WireCodec.encode(1, new WorkerReport.CheckpointFailed(4, text))))
        .isEqualTo(new WorkerReport.CheckpointFailed(4, shown));

    String pairs = "x" + "\uD83C\uDF32".repeat(6_000);
    var cut =
        (WorkerReport.Failed)
            WireCodec.decode(
                WireCodec.encode(1, new WorkerReport.Failed(ErrorCode.INTERNAL, pairs)));
    assertThat(cut.message())
        .isEqualTo("x" + "\uD83C\uDF32".repeat(4_999) + "... (12001 characters)");
  }
}
