package dev.espalier.ps.transport;

import dev.espalier.ps.branch.BranchRef;
import dev.espalier.ps.clock.Staleness;
import dev.espalier.ps.fault.PsException;
import dev.espalier.ps.fault.PsFault;
import dev.espalier.ps.optim.StepSize;
import dev.espalier.ps.shard.ShardCommand;
import dev.espalier.ps.shard.ShardReply;
import dev.espalier.ps.table.RowTarget;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Turns commands and replies into frames and back; the format is in `FrameLayout`.
public final class FrameCodec {
  private FrameCodec() {}

  /// Encodes a command.
  ///
  /// @return a frame, ready to be read, on the heap
  /// @throws PsException `BAD_REQUEST` when it would exceed 2 GiB
  public static ByteBuffer encode(ShardCommand command) {
    return encode(command, Integer.MAX_VALUE);
  }

  /// Encodes a command.
  ///
  /// @param maxBytes what a carrier can take
  /// @return a frame, ready to be read, on the heap
  /// @throws PsException `BAD_REQUEST` when it would be larger
  public static ByteBuffer encode(ShardCommand command, int maxBytes) {
    BufferOutput out = new BufferOutput(maxBytes);
    encode(command, out);
    return out.finish();
  }

  /// Encodes a command.
  ///
  /// @param out takes the frame
  /// @throws PsException `BAD_REQUEST` when that cannot take it; then nothing was put
  public static void encode(ShardCommand command, FrameOutput out) {
    switch (command) {
      case ShardCommand.Read read -> {
        int name = FrameWriter.nameOf(read.rows(), out);
        new FrameWriter(FrameLayout.READ, 24 + FrameWriter.bytesOf(read.rows(), name), out)
            .putInt(read.worker())
            .putInt(read.branch().number())
            .putLong(read.clock())
            .putInt(read.staleness().bound())
            .putInt(read.table())
            .putRows(read.rows(), name);
      }
      case ShardCommand.Push push -> {
        int[] names = FrameWriter.namesOf(push.batches(), out);
        new FrameWriter(FrameLayout.PUSH, 44 + FrameWriter.bytesOf(push.batches(), names), out)
            .putInt(push.worker())
            .putInt(push.branch().number())
            .putLong(push.clock())
            .putInt(push.staleness().bound())
            .putDouble(push.stepSize().learningRate())
            .putDouble(push.stepSize().momentum())
            .putLong(push.samples())
            .putBatches(push.batches(), names);
      }
      case ShardCommand.Assign assign -> {
        int[] names = FrameWriter.namesOf(assign.batches(), out);
        new FrameWriter(FrameLayout.ASSIGN, 8 + FrameWriter.bytesOf(assign.batches(), names), out)
            .putInt(assign.worker())
            .putInt(assign.branch().number())
            .putBatches(assign.batches(), names);
      }
      case ShardCommand.Create create ->
          encode(FrameLayout.CREATE, create.worker(), create.branch(), out);
      case ShardCommand.Fork fork ->
          new FrameWriter(FrameLayout.FORK, 12, out)
              .putInt(fork.worker())
              .putInt(fork.child().number())
              .putInt(fork.parent().number());
      case ShardCommand.Free free -> encode(FrameLayout.FREE, free.worker(), free.branch(), out);
      case ShardCommand.Save save -> encode(FrameLayout.SAVE, save.worker(), save.branch(), out);
      case ShardCommand.Barrier barrier ->
          encode(FrameLayout.BARRIER, barrier.worker(), barrier.name(), out);
      case ShardCommand.Withdraw withdraw ->
          encode(FrameLayout.WITHDRAW, withdraw.worker(), withdraw.name(), out);
      case ShardCommand.Explain explain ->
          new FrameWriter(FrameLayout.EXPLAIN, 4, out).putInt(explain.worker());
    }
  }

  private static void encode(byte type, int worker, BranchRef branch, FrameOutput out) {
    new FrameWriter(type, 8, out).putInt(worker).putInt(branch.number());
  }

  private static void encode(byte type, int worker, String name, FrameOutput out) {
    new FrameWriter(type, 4 + FrameWriter.bytesOf(name), out).putInt(worker).putText(name);
  }

  /// Encodes a reply.
  ///
  /// @return a frame, ready to be read, on the heap
  public static ByteBuffer encode(ShardReply reply) {
    return encode(reply, Integer.MAX_VALUE);
  }

  /// Encodes a reply.
  ///
  /// @param maxBytes what a carrier can take
  /// @return a frame, ready to be read, on the heap
  /// @throws PsException `BAD_REQUEST` when it would be larger
  public static ByteBuffer encode(ShardReply reply, int maxBytes) {
    BufferOutput out = new BufferOutput(maxBytes);
    encode(reply, out);
    return out.finish();
  }

  /// Encodes a reply.
  ///
  /// @param out takes the frame
  /// @throws IllegalArgumentException for [ShardReply.Delivered], whose rows are elsewhere
  public static void encode(ShardReply reply, FrameOutput out) {
    switch (reply) {
      case ShardReply.Delivered delivered ->
          throw new IllegalArgumentException("rows are elsewhere: " + delivered);
      case ShardReply.Acknowledged() -> new FrameWriter(FrameLayout.ACKNOWLEDGED, 0, out);
      case ShardReply.Rows(float[] values) ->
          new FrameWriter(FrameLayout.ROWS, 4 + 4L * values.length, out).putValues(values);
      case ShardReply.Placed placed -> encode(placed, out);
      case ShardReply.BarrierState(boolean completed) ->
          new FrameWriter(FrameLayout.BARRIER_STATE, 1, out).putByte((byte) (completed ? 1 : 0));
      case ShardReply.SnapshotTaken(long ticket) ->
          new FrameWriter(FrameLayout.SNAPSHOT_TAKEN, 8, out).putLong(ticket);
      case ShardReply.Explanation(String text) ->
          new FrameWriter(FrameLayout.EXPLANATION, FrameWriter.bytesOf(text), out).putText(text);
      case ShardReply.Failed(PsFault fault, String message) ->
          new FrameWriter(
                  FrameLayout.FAILED,
                  FrameWriter.bytesOf(fault.name()) + FrameWriter.bytesOf(message),
                  out)
              .putText(fault.name())
              .putText(message);
    }
  }

  private static void encode(ShardReply.Placed placed, FrameOutput out) {
    int count = placed.pages().length;
    FrameWriter writer =
        new FrameWriter(FrameLayout.PLACED, 20 + 12L * count, out)
            .putLong(placed.firstRow())
            .putInt(placed.rowsPerPage())
            .putInt(placed.columns())
            .putInt(count);
    for (int page : placed.pages()) {
      writer.putInt(page);
    }
    for (long offset : placed.offsets()) {
      writer.putLong(offset);
    }
  }

  /// Writes what goes before the values of a [ShardReply.Rows], which the caller puts himself.
  ///
  /// @param count number of values
  /// @param out takes the frame's begin
  public static void encodeRowsHead(int count, FrameOutput out) {
    new FrameWriter(FrameLayout.ROWS, 4 + 4L * count, out).putInt(count);
  }

  /// Decodes a command.
  ///
  /// @param frame read from its position to its limit, which must be one whole frame
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardCommand decodeCommand(ByteBuffer frame) {
    return decodeCommand(new BufferInput(frame));
  }

  /// Decodes a reply.
  ///
  /// @param frame read from its position to its limit, which must be one whole frame
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardReply decodeReply(ByteBuffer frame) {
    return decode(new BufferInput(frame), FrameCodec::reply);
  }

  /// Decodes a command.
  ///
  /// @param frame one whole frame
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardCommand decodeCommand(FrameInput frame) {
    return decode(frame, FrameCodec::command);
  }

  /// Decodes a reply.
  ///
  /// @param frame one whole frame
  /// @param target where rows go, so that the reply is [ShardReply.Delivered]; null for an array of
  ///   the reply's own
  /// @throws PsException `BAD_FRAME` when it is not
  public static ShardReply decodeReply(FrameInput frame, @Nullable RowTarget target) {
    return decode(
        frame,
        (type, in) ->
            type == FrameLayout.ROWS && target != null
                ? new ShardReply.Delivered(in.getRows(target))
                : reply(type, in));
  }

  private static <T> T decode(FrameInput frame, BiFunction<Byte, FrameReader, T> body) {
    int bytes = frame.remaining();
    try {
      FrameReader reader = new FrameReader(frame);
      T decoded = body.apply(reader.type(), reader);
      reader.expectEnd();
      return decoded;
    } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException e) {
      throw new PsException(
          PsFault.BAD_FRAME,
          "frame of %d bytes does not hold what it says: %s".formatted(bytes, e),
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
      case FrameLayout.PLACED -> in.getPlaced();
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
