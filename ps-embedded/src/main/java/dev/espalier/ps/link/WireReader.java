package dev.espalier.ps.link;

import dev.espalier.ps.shard.ArrayPool;
import dev.espalier.ps.transport.FrameInput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;

/// The frames that come in over a wire; values go from the wire's own memory to where they are
/// wanted, in one copy.
///
/// A wire that breaks shows as an [UncheckedIOException]; after any other failure the rest of the
/// frame can be skipped. Belongs to one thread at a time.
final class WireReader implements FrameInput {
  private final Wire wire;
  private final KeyCache keys;
  private final ArrayPool arrays;
  private final ByteBuffer split = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
  private ByteBuffer view = ByteBuffer.allocate(0);
  private int remaining;

  /// @param keys the row numbers that were learned from this wire's session
  /// @param arrays for values
  WireReader(Wire wire, KeyCache keys, ArrayPool arrays) {
    this.wire = wire;
    this.keys = keys;
    this.arrays = arrays;
  }

  /// Waits for the head of the next frame, whose bytes can then be read.
  LinkFrame.Head next() {
    remaining = LinkFrame.HEAD_BYTES;
    var head = new LinkFrame.Head(getInt(), getLong(), getLong());
    remaining = head.bytes();
    return head;
  }

  /// Whether bytes of the next frame have been received.
  boolean hasBytes() {
    return view.hasRemaining();
  }

  /// Passes over what is left of a frame.
  void skip() {
    while (remaining > 0) {
      passed(Math.min(remaining, view().remaining()));
    }
  }

  @Override
  public int remaining() {
    return remaining;
  }

  @Override
  public byte getByte() {
    require(1);
    byte next = view().get();
    remaining--;
    return next;
  }

  @Override
  public short getShort() {
    return whole(Short.BYTES).getShort();
  }

  @Override
  public int getInt() {
    return whole(Integer.BYTES).getInt();
  }

  @Override
  public long getLong() {
    return whole(Long.BYTES).getLong();
  }

  @Override
  public void get(byte[] target) {
    require(target.length);
    for (int done = 0; done < target.length; ) {
      int step = Math.min(target.length - done, view().remaining());
      view.get(target, done, step);
      remaining -= step;
      done += step;
    }
  }

  @Override
  public void get(long[] target) {
    for (int done = 0; done < target.length; ) {
      int step = Math.min(target.length - done, view().remaining() / Long.BYTES);
      if (step == 0) {
        target[done++] = getLong();
        continue;
      }
      require(step * Long.BYTES);
      view.asLongBuffer().get(target, done, step);
      passed(step * Long.BYTES);
      done += step;
    }
  }

  @Override
  public void get(float[] target, int offset, int count) {
    for (int done = 0; done < count; ) {
      int step = Math.min(count - done, view().remaining() / Float.BYTES);
      if (step == 0) {
        Objects.checkIndex(offset + done, target.length);
        target[offset + done++] = Float.intBitsToFloat(getInt());
        continue;
      }
      require(step * Float.BYTES);
      view.asFloatBuffer().get(target, offset + done, step);
      passed(step * Float.BYTES);
      done += step;
    }
  }

  @Override
  public float[] floats(int count) {
    return arrays.take(count);
  }

  @Override
  public void learn(long[] list) {
    keys.add(list);
  }

  @Override
  public long[] named(int name) {
    return keys.get(name);
  }

  private void require(int bytes) {
    if (bytes > remaining) {
      throw new BufferUnderflowException();
    }
  }

  /// Bytes that lay together have been read.
  private void passed(int bytes) {
    view.position(view.position() + bytes);
    remaining -= bytes;
  }

  /// A buffer in which the next bytes lie together.
  private ByteBuffer whole(int bytes) {
    require(bytes);
    if (view.remaining() >= bytes) {
      remaining -= bytes;
      return view;
    }
    split.clear();
    while (split.position() < bytes) {
      split.put(view().get());
      remaining--;
    }
    return split.flip();
  }

  private ByteBuffer view() {
    if (!view.hasRemaining()) {
      try {
        view = wire.receive();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return view;
  }
}
