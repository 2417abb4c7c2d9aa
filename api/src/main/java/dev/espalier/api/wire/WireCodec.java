package dev.espalier.api.wire;

import dev.espalier.api.model.BranchCommand;
import dev.espalier.api.model.BranchId;
import dev.espalier.api.model.BranchKind;
import dev.espalier.api.model.Communication;
import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import dev.espalier.api.model.SequencedCommand;
import dev.espalier.api.model.Setting;
import dev.espalier.api.model.Shape;
import dev.espalier.api.model.WorkerReport;
import dev.espalier.api.wire.v1.Checkpoint;
import dev.espalier.api.wire.v1.CheckpointFailed;
import dev.espalier.api.wire.v1.CheckpointWritten;
import dev.espalier.api.wire.v1.Command;
import dev.espalier.api.wire.v1.Create;
import dev.espalier.api.wire.v1.DropCheckpoint;
import dev.espalier.api.wire.v1.Evaluate;
import dev.espalier.api.wire.v1.Evaluated;
import dev.espalier.api.wire.v1.Failed;
import dev.espalier.api.wire.v1.Fork;
import dev.espalier.api.wire.v1.Forked;
import dev.espalier.api.wire.v1.Free;
import dev.espalier.api.wire.v1.Probe;
import dev.espalier.api.wire.v1.Progressed;
import dev.espalier.api.wire.v1.Ready;
import dev.espalier.api.wire.v1.Report;
import dev.espalier.api.wire.v1.Restore;
import dev.espalier.api.wire.v1.Schedule;
import dev.espalier.api.wire.v1.Stop;
import dev.espalier.api.wire.v1.Welcome;
import java.util.Arrays;
import java.util.Map;

/// The only mapping between model records and generated protobuf, used by both ends.
///
/// Messages without a body, or with a name this version does not know, are `INVALID_REQUEST`.
public final class WireCodec {
  /// Both ends must speak the same version.
  public static final int PROTOCOL_VERSION = 3;

  /// The metadata key of a job's worker secret.
  public static final String SECRET_KEY = "espalier-worker-secret";

  /// Characters that a report's text may have.
  private static final int MAX_TEXT = 10_000;

  private WireCodec() {}

  public static Command encode(SequencedCommand sequenced) {
    Command.Builder wire = Command.newBuilder().setSequence(sequenced.sequence());
    switch (sequenced.command()) {
      case BranchCommand.Create(BranchId branch, Setting setting) ->
          wire.setCreate(
              Create.newBuilder().setBranch(branch.number()).putAllSetting(setting.values()));
      case BranchCommand.Restore(BranchId branch, long checkpoint, Setting setting) ->
          wire.setRestore(
              Restore.newBuilder()
                  .setBranch(branch.number())
                  .setCheckpoint(checkpoint)
                  .putAllSetting(setting.values()));
      case BranchCommand.Fork(BranchId branch, BranchId parent, BranchKind kind, Setting setting) ->
          wire.setFork(
              Fork.newBuilder()
                  .setBranch(branch.number())
                  .setParent(parent.number())
                  .setKind(encode(kind))
                  .putAllSetting(setting.values()));
      case BranchCommand.Schedule schedule -> wire.setSchedule(encode(schedule));
      case BranchCommand.Evaluate(BranchId branch, long evaluation) ->
          wire.setEvaluate(
              Evaluate.newBuilder().setBranch(branch.number()).setEvaluation(evaluation));
      case BranchCommand.Probe(BranchId branch, long evaluation, long samples) ->
          wire.setProbe(
              Probe.newBuilder()
                  .setBranch(branch.number())
                  .setEvaluation(evaluation)
                  .setSamples(samples));
      case BranchCommand.Free(BranchId branch) ->
          wire.setFree(Free.newBuilder().setBranch(branch.number()));
      case BranchCommand.Checkpoint(BranchId branch, long checkpoint) ->
          wire.setCheckpoint(
              Checkpoint.newBuilder().setBranch(branch.number()).setCheckpoint(checkpoint));
      case BranchCommand.DropCheckpoint(long checkpoint) ->
          wire.setDropCheckpoint(DropCheckpoint.newBuilder().setCheckpoint(checkpoint));
      case BranchCommand.Stop() -> wire.setStop(Stop.getDefaultInstance());
    }
    return wire.build();
  }

  public static SequencedCommand decode(Command wire) {
    BranchCommand command =
        switch (wire.getBodyCase()) {
          case CREATE ->
              new BranchCommand.Create(
                  new BranchId(wire.getCreate().getBranch()),
                  setting(wire.getCreate().getSettingMap()));
          case RESTORE ->
              new BranchCommand.Restore(
                  new BranchId(wire.getRestore().getBranch()),
                  wire.getRestore().getCheckpoint(),
                  setting(wire.getRestore().getSettingMap()));
          case FORK ->
              new BranchCommand.Fork(
                  new BranchId(wire.getFork().getBranch()),
                  new BranchId(wire.getFork().getParent()),
                  decode(wire.getFork().getKind()),
                  setting(wire.getFork().getSettingMap()));
          case SCHEDULE ->
              new BranchCommand.Schedule(
                  new BranchId(wire.getSchedule().getBranch()),
                  wire.getSchedule().getUntilClock(),
                  wire.getSchedule().getAloneUntilClock(),
                  shape(wire.getSchedule()));
          case EVALUATE ->
              new BranchCommand.Evaluate(
                  new BranchId(wire.getEvaluate().getBranch()), wire.getEvaluate().getEvaluation());
          case PROBE ->
              new BranchCommand.Probe(
                  new BranchId(wire.getProbe().getBranch()),
                  wire.getProbe().getEvaluation(),
                  wire.getProbe().getSamples());
          case FREE -> new BranchCommand.Free(new BranchId(wire.getFree().getBranch()));
          case CHECKPOINT ->
              new BranchCommand.Checkpoint(
                  new BranchId(wire.getCheckpoint().getBranch()),
                  wire.getCheckpoint().getCheckpoint());
          case DROP_CHECKPOINT ->
              new BranchCommand.DropCheckpoint(wire.getDropCheckpoint().getCheckpoint());
          case STOP -> new BranchCommand.Stop();
          case BODY_NOT_SET -> throw unknown("command " + wire.getSequence());
        };
    return new SequencedCommand(wire.getSequence(), command);
  }

  public static Report encode(long sequence, WorkerReport report) {
    Report.Builder wire = Report.newBuilder().setSequence(sequence);
    switch (report) {
      case WorkerReport.Ready(long trainingSamples, int defaultBatchSize, long probeSamples) ->
          wire.setReady(
              Ready.newBuilder()
                  .setTrainingSamples(trainingSamples)
                  .setDefaultBatchSize(defaultBatchSize)
                  .setProbeSamples(probeSamples));
      case WorkerReport.Progressed progressed ->
          wire.setProgressed(
              Progressed.newBuilder()
                  .setBranch(progressed.branch().number())
                  .setFromClock(progressed.fromClock())
                  .addAllLossSums(progressed.lossSums())
                  .addAllSamples(progressed.samples())
                  .addAllSeconds(progressed.seconds()));
      case WorkerReport.Evaluated evaluated ->
          wire.setEvaluated(
              Evaluated.newBuilder()
                  .setEvaluation(evaluated.evaluation())
                  .putAllMetrics(evaluated.metrics())
                  .setSamples(evaluated.samples())
                  .setSeconds(evaluated.seconds())
                  .addAllLosses(evaluated.losses())
                  .putAllOtherSamples(evaluated.otherSamples())
                  .addAllScores(evaluated.scores()));
      case WorkerReport.CheckpointWritten(long checkpoint, long sizeBytes) ->
          wire.setCheckpointWritten(
              CheckpointWritten.newBuilder().setCheckpoint(checkpoint).setSizeBytes(sizeBytes));
      case WorkerReport.CheckpointFailed(long checkpoint, String message) ->
          wire.setCheckpointFailed(
              CheckpointFailed.newBuilder().setCheckpoint(checkpoint).setMessage(bounded(message)));
      case WorkerReport.Forked(BranchId branch, double seconds) ->
          wire.setForked(Forked.newBuilder().setBranch(branch.number()).setSeconds(seconds));
      case WorkerReport.Failed(ErrorCode code, String message) ->
          wire.setFailed(Failed.newBuilder().setCode(code.name()).setMessage(bounded(message)));
    }
    return wire.build();
  }

  /// Exceptions may quote a whole batch: a tuner takes no message of megabytes, and nobody reads
  /// one.
  private static String bounded(String message) {
    if (message.length() <= MAX_TEXT) {
      return message;
    }
    int end = Character.isHighSurrogate(message.charAt(MAX_TEXT - 1)) ? MAX_TEXT - 1 : MAX_TEXT;
    return message.substring(0, end) + "... (%d characters)".formatted(message.length());
  }

  public static WorkerReport decode(Report wire) {
    return switch (wire.getBodyCase()) {
      case READY ->
          new WorkerReport.Ready(
              wire.getReady().getTrainingSamples(),
              wire.getReady().getDefaultBatchSize(),
              wire.getReady().getProbeSamples());
      case PROGRESSED ->
          new WorkerReport.Progressed(
              new BranchId(wire.getProgressed().getBranch()),
              wire.getProgressed().getFromClock(),
              wire.getProgressed().getLossSumsList(),
              wire.getProgressed().getSamplesList(),
              wire.getProgressed().getSecondsList());
      case EVALUATED ->
          new WorkerReport.Evaluated(
              wire.getEvaluated().getEvaluation(),
              wire.getEvaluated().getMetricsMap(),
              wire.getEvaluated().getSamples(),
              wire.getEvaluated().getSeconds(),
              wire.getEvaluated().getLossesList(),
              wire.getEvaluated().getOtherSamplesMap(),
              wire.getEvaluated().getScoresList());
      case CHECKPOINT_WRITTEN ->
          new WorkerReport.CheckpointWritten(
              wire.getCheckpointWritten().getCheckpoint(),
              wire.getCheckpointWritten().getSizeBytes());
      case CHECKPOINT_FAILED ->
          new WorkerReport.CheckpointFailed(
              wire.getCheckpointFailed().getCheckpoint(), wire.getCheckpointFailed().getMessage());
      case FORKED ->
          new WorkerReport.Forked(
              new BranchId(wire.getForked().getBranch()), wire.getForked().getSeconds());
      case FAILED ->
          new WorkerReport.Failed(
              codeNamed(wire.getFailed().getCode()), wire.getFailed().getMessage());
      case BODY_NOT_SET -> throw unknown("report " + wire.getSequence());
    };
  }

  public static dev.espalier.api.wire.v1.Communication encode(Communication communication) {
    return dev.espalier.api.wire.v1.Communication.newBuilder()
        .setTransport(communication.transport())
        .setUpdates(communication.updates())
        .setSignificance(communication.significance())
        .setPushEvery(communication.pushEvery())
        .setFetchEvery(communication.fetchEvery())
        .setSufficientFactors(communication.sufficientFactors())
        .setKeyCaching(communication.keyCaching())
        .build();
  }

  /// {@return what a welcome says of the workers' exchange; plain when it says nothing}
  public static Communication communication(Welcome wire) {
    if (!wire.hasCommunication()) {
      return Communication.PLAIN;
    }
    dev.espalier.api.wire.v1.Communication said = wire.getCommunication();
    try {
      return new Communication(
          said.getTransport(),
          said.getUpdates(),
          said.getSignificance(),
          said.getPushEvery(),
          said.getFetchEvery(),
          said.getSufficientFactors(),
          said.getKeyCaching());
    } catch (IllegalArgumentException unknown) {
      throw new EspalierException(
          ErrorCode.INVALID_REQUEST, String.valueOf(unknown.getMessage()), unknown);
    }
  }

  private static Schedule.Builder encode(BranchCommand.Schedule schedule) {
    Schedule.Builder wire =
        Schedule.newBuilder()
            .setBranch(schedule.branch().number())
            .setUntilClock(schedule.untilClock())
            .setAloneUntilClock(schedule.aloneUntilClock());
    return switch (schedule.shape()) {
      case Shape.Constant() -> wire;
      case Shape.LinearToZero(long from, long until) ->
          wire.setAnnealFromClock(from).setAnnealUntilClock(until);
    };
  }

  private static Shape shape(Schedule wire) {
    return wire.getAnnealUntilClock() == 0
        ? Shape.CONSTANT
        : Shape.linearToZero(wire.getAnnealFromClock(), wire.getAnnealUntilClock());
  }

  private static Setting setting(Map<String, Double> values) {
    return Setting.of(values);
  }

  private static dev.espalier.api.wire.v1.BranchKind encode(BranchKind kind) {
    return switch (kind) {
      case MAINLINE -> dev.espalier.api.wire.v1.BranchKind.BRANCH_KIND_MAINLINE;
      case TRIAL -> dev.espalier.api.wire.v1.BranchKind.BRANCH_KIND_TRIAL;
      case EVALUATION -> dev.espalier.api.wire.v1.BranchKind.BRANCH_KIND_EVALUATION;
    };
  }

  private static BranchKind decode(dev.espalier.api.wire.v1.BranchKind kind) {
    return switch (kind) {
      case BRANCH_KIND_MAINLINE -> BranchKind.MAINLINE;
      case BRANCH_KIND_TRIAL -> BranchKind.TRIAL;
      case BRANCH_KIND_EVALUATION -> BranchKind.EVALUATION;
      case BRANCH_KIND_UNSPECIFIED, UNRECOGNIZED -> throw unknown("branch kind " + kind);
    };
  }

  private static ErrorCode codeNamed(String name) {
    return Arrays.stream(ErrorCode.values())
        .filter(code -> code.name().equals(name))
        .findFirst()
        .orElse(ErrorCode.INTERNAL);
  }

  private static EspalierException unknown(String what) {
    return new EspalierException(
        ErrorCode.INVALID_REQUEST, what + " is not known to protocol version " + PROTOCOL_VERSION);
  }
}
