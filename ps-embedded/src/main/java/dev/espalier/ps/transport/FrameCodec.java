package dev.espalier.ps.transport;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.BiFunction;

/// Turns commands and replies into frames and back; the format is in `FrameLayout`.
public final class FrameCodec {
  private FrameCodec() {}

  /// Encodes a command.
  ///
  /// @return a frame, ready to be read, on the heap
  /// @throws PsException `BAD_REQUEST` when it would exceed 2 GiB
  public static ByteBuffer encode(ShardCommand command) {
    return switch (command) {
      case ShardCommand.Read read -> encode(read);
      case ShardCommand.Push push -> encode(push);
      case ShardCommand.Assign assign ->
          new FrameWriter(FrameLayout.ASSIGN, 8 + FrameWriter.bytesOf(assign.batches()))
              .putInt(assign.worker())
              .putInt(assign.branch().number())
              .putBatches(assign.batches())
              .finish();
      case ShardCommand.Create create ->
          encode(FrameLayout.CREATE, create.worker(), create.branch());
      case ShardCommand.Fork fork ->
          new FrameWriter(FrameLayout.FORK, 12)
              .putInt(fork.worker())
              .putInt(fork.child().number())
              .putInt(fork.parent().number())
              .finish();
      case ShardCommand.Free free -> encode(FrameLayout.FREE, free.worker(), free.branch());
      case ShardCommand.Save save -> encode(FrameLayout.SAVE, save.worker(), save.branch());
      case ShardCommand.Barrier barrier ->
          encode(FrameLayout.BARRIER, barrier.worker(), barrier.name());
      case ShardCommand.Withdraw withdraw ->
          encode(FrameLayout.WITHDRAW, withdraw.worker(), withdraw.name());
      case ShardCommand.Explain explain ->
          new FrameWriter(FrameLayout.EXPLAIN, 4).putInt(explain.worker()).finish();
    };
  }

  private static ByteBuffer encode(ShardCommand.Read read) {
    return new FrameWriter(FrameLayout.READ, 24 + FrameWriter.bytesOf(read.rows()))
        .putInt(read.worker())
        .putInt(read.branch().number())
        .putLong(read.clock())
        .putInt(read.staleness().bound())
        .putInt(read.table())
        .putRows(read.rows())
        .finish();
  }

  private static ByteBuffer encode(ShardCommand.Push push) {
    return new FrameWriter(FrameLayout.PUSH, 44 + FrameWriter.bytesOf(push.batches()))
        .putInt(push.worker())
        .putInt(push.branch().number())
        .putLong(push.clock())
        .putInt(push.staleness().bound())
        .putDouble(push.stepSize().learningRate())
        .putDouble(push.stepSize().momentum())
        .putLong(push.samples())
        .putBatches(push.batches())
        .finish();
  }

  private static ByteBuffer encode(byte type, int worker, BranchRef branch) {
    return new FrameWriter(type, 8).putInt(worker).putInt(branch.number()).finish();
  }

  private static ByteBuffer encode(byte type, int worker, String name) {
    return new FrameWriter(type, 4 + FrameWriter.bytesOf(name))
        .putInt(worker)
        .putText(name)
        .finish();
  }

  /// Encodes a reply.
  ///
  /// @return a frame, ready to be read, on the heap
  public static ByteBuffer encode(ShardReply reply) {
    return switch (reply) {
      case ShardReply.Acknowledged() -> new FrameWriter(FrameLayout.ACKNOWLEDGED, 0).finish();
      case ShardReply.Rows(float[] values) ->
          new FrameWriter(FrameLayout.ROWS, 4 + 4L * values.length).putValues(values).finish();
      case ShardReply.BarrierState(boolean completed) ->
          new FrameWriter(FrameLayout.BARRIER_STATE, 1)
              .putByte((byte) (completed ? 1 : 0))
              .finish();
      case ShardReply.SnapshotTaken(long ticket) ->
          new FrameWriter(FrameLayout.SNAPSHOT_TAKEN, 8).putLong(ticket).finish();
      case ShardReply.Explanation(String text) ->
          new FrameWriter(FrameLayout.EXPLANATION, FrameWriter.bytesOf(text))
              .putText(text)
              .finish();
      case ShardReply.Failed(PsFault fault, String message) ->
          new FrameWriter(
                  FrameLayout.FAILED,
                  FrameWriter.bytesOf(fault.name()) + FrameWriter.bytesOf(message))
              .putText(fault.name())
              .putText(message)
              .finish();
    };
  }

  /// Decodes a command.
  ///
  /// @param frame read from its position to its limit, which must be one whole frame
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardCommand decodeCommand(ByteBuffer frame) {
    return decode(frame, FrameCodec::command);
  }

  /// Decodes a reply.
  ///
  /// @param frame read from its position to its limit, which must be one whole frame
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardReply decodeReply(ByteBuffer frame) {
    return decode(frame, FrameCodec::reply);
  }

  private static <T> T decode(ByteBuffer frame, BiFunction<Byte, FrameReader, T> body) {
    ByteBuffer bytes = frame.duplicate().order(ByteOrder.LITTLE_ENDIAN);
    try {
      FrameReader reader = new FrameReader(bytes);
      T decoded = body.apply(reader.type(), reader);
      reader.expectEnd();
      return decoded;
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      throw new PsException(
          PsFault.BAD_FRAME,
          "frame of %d bytes does not hold what it says: %s".formatted(frame.remaining(), e),
          e);
    }
  }

  private static ShardCommand command(byte type, FrameReader in) {
    int worker = in.getInt();
    return switch (type) {
      case FrameLayout.READ ->
          new ShardCommand.Read(
              branch(in), worker, in.getLong(), staleness(in), in.getInt(), in.getRows());
      case FrameLayout.PUSH ->
          new ShardCommand.Push(
              branch(in),
              worker,
              in.getLong(),
              staleness(in),
              new StepSize(in.getDouble(), in.getDouble()),
              in.getLong(),
              in.getBatches());
      case FrameLayout.ASSIGN -> new ShardCommand.Assign(branch(in), worker, in.getBatches());
      case FrameLayout.CREATE -> new ShardCommand.Create(branch(in), worker);
      case FrameLayout.FORK -> new ShardCommand.Fork(branch(in), branch(in), worker);
      case FrameLayout.FREE -> new ShardCommand.Free(branch(in), worker);
      case FrameLayout.SAVE -> new ShardCommand.Save(branch(in), worker);
      case FrameLayout.BARRIER -> new ShardCommand.Barrier(in.getText(), worker);
      case FrameLayout.WITHDRAW -> new ShardCommand.Withdraw(in.getText(), worker);
      case FrameLayout.EXPLAIN -> new ShardCommand.Explain(worker);
      default -> throw unknown("command", type);
    };
  }

  private static ShardReply reply(byte type, FrameReader in) {
    return switch (type) {
      case FrameLayout.ACKNOWLEDGED -> new ShardReply.Acknowledged();
      case FrameLayout.ROWS -> new ShardReply.Rows(in.getValues());
      case FrameLayout.BARRIER_STATE -> new ShardReply.BarrierState(in.getByte() != 0);
      case FrameLayout.SNAPSHOT_TAKEN -> new ShardReply.SnapshotTaken(in.getLong());
      case FrameLayout.EXPLANATION -> new ShardReply.Explanation(in.getText());
      case FrameLayout.FAILED -> new ShardReply.Failed(PsFault.valueOf(in.getText()), in.getText());
      default -> throw unknown("reply", type);
    };
  }

  private static BranchRef branch(FrameReader in) {
    return new BranchRef(in.getInt());
  }

  private static Staleness staleness(FrameReader in) {
    return new Staleness(in.getInt());
  }

  private static PsException unknown(String what, byte type) {
    return new PsException(PsFault.BAD_FRAME, "no %s has type %d".formatted(what, type));
  }
}
