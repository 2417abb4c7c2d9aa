package dev.espalier.runtime.transport;

import dev.espalier.api.model.ErrorCode;
import dev.espalier.api.model.EspalierException;
import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;

/// The methods between worker processes: a stream of frames each way, and where faster ways are.
///
/// ```
/// message   number i64, big endian | frame
/// ```
///
/// Numbers pair answers with questions, for answers may overtake each other: a read waits for
/// clocks that other frames bring. A question's number is above 0 and unique in its stream.
final class ShardExchange {
  static final String SERVICE = "dev.espalier.ps.v1.ShardService";
  static final Metadata.Key<String> SECRET =
      Metadata.Key.of("espalier-worker-secret", Metadata.ASCII_STRING_MARSHALLER);
  static final int MAX_MESSAGE_BYTES = 1 << 30;
  static final int FLOW_WINDOW_BYTES = 8 << 20;
  private static final int NUMBER_BYTES = 8;

  /// A message that is larger would end the stream, and the other side would look lost.
  static final int MAX_FRAME_BYTES = MAX_MESSAGE_BYTES - NUMBER_BYTES;

  static final MethodDescriptor<Message, Message> EXCHANGE =
      method(MethodDescriptor.MethodType.BIDI_STREAMING, "Exchange");

  /// Answers with the number of the port for sockets.
  static final MethodDescriptor<Message, Message> LINK_PORT =
      method(MethodDescriptor.MethodType.UNARY, "LinkPort");

  private ShardExchange() {}

  private static MethodDescriptor<Message, Message> method(
      MethodDescriptor.MethodType type, String name) {
    return MethodDescriptor.<Message, Message>newBuilder()
        .setType(type)
        .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
        .setRequestMarshaller(new Marshaller())
        .setResponseMarshaller(new Marshaller())
        .build();
  }

  /// @param frame read from its position to its limit
  record Message(long number, ByteBuffer frame) {}

  private static final class Marshaller implements MethodDescriptor.Marshaller<Message> {
    @Override
    public InputStream stream(Message message) {
      return new MessageStream(message);
    }

    @Override
    public Message parse(InputStream stream) {
      try {
        byte[] bytes = stream.readAllBytes();
        if (bytes.length < NUMBER_BYTES) {
          throw new EspalierException(
              ErrorCode.INVALID_REQUEST,
              "a message must have at least " + NUMBER_BYTES + " bytes but has " + bytes.length);
        }
        ByteBuffer all = ByteBuffer.wrap(bytes);
        long number = all.getLong();
        return new Message(number, all.slice());
      } catch (IOException failure) {
        throw new EspalierException(ErrorCode.INVALID_REQUEST, "a message cannot be read", failure);
      }
    }
  }

  /// Hands the frame to the transport in one write.
  private static final class MessageStream extends ByteArrayInputStream
      implements Drainable, KnownLength {
    private MessageStream(Message message) {
      super(bytes(message));
    }

    private static byte[] bytes(Message message) {
      ByteBuffer frame = message.frame();
      byte[] bytes = new byte[NUMBER_BYTES + frame.remaining()];
      ByteBuffer.wrap(bytes).putLong(message.number()).put(frame.duplicate());
      return bytes;
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = available();
      target.write(buf, pos, length);
      pos = count;
      return length;
    }
  }
}
