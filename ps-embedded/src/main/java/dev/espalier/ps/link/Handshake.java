package dev.espalier.ps.link;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/*
 * The server speaks first: magic, version, a challenge of 32 random bytes. The client answers with a
 * challenge of its own, what it wants, and HMAC-SHA256(token, "client" | both challenges | wishes).
 * The server checks it in constant time and only then looks at the wishes; its answer carries
 * HMAC-SHA256(token, "server" | both challenges | answer), so a client sends nothing to a stranger
 * that happens to listen at the port. A wrong token is answered by the byte 2 alone. The token itself
 * never travels.
 */

/// How the two ends of a new connection convince each other that they know the job's token.
final class Handshake {
  private static final int MAGIC = 0x4553504C;
  private static final byte VERSION = 3;
  private static final byte DENIED = 2;
  private static final int CHALLENGE_BYTES = 32;
  private static final int MAC_BYTES = 32;
  private static final int MAX_TEXT_BYTES = 512;
  private static final String ALGORITHM = "HmacSHA256";
  private static final SecureRandom RANDOM = new SecureRandom();

  /// What a client wants.
  ///
  /// @param session two random numbers that name it
  /// @param resumes whether the session has had a connection before
  /// @param received replies of the session that the client has taken
  /// @param memory file of shared memory that the client offers in place of the socket; empty for
  ///   none
  record Wish(Session session, boolean resumes, long received, String memory) {
    private byte[] bytes() {
      byte[] text = memory.getBytes(StandardCharsets.UTF_8);
      return ByteBuffer.allocate(8 + 8 + 1 + 8 + 2 + text.length)
          .putLong(session.high())
          .putLong(session.low())
          .put((byte) (resumes ? 1 : 0))
          .putLong(received)
          .putShort((short) text.length)
          .put(text)
          .array();
    }

    private static Wish read(DataInputStream in) throws IOException {
      Session session = new Session(in.readLong(), in.readLong());
      boolean resumes = in.readByte() != 0;
      return new Wish(session, resumes, in.readLong(), text(in));
    }
  }

  /// The name of a session, which outlives its connections.
  record Session(long high, long low) {
    static Session random() {
      return new Session(RANDOM.nextLong(), RANDOM.nextLong());
    }
  }

  /// What a server answers.
  ///
  /// @param isKnown false when the client wants to resume a session that the server has forgotten
  /// @param received commands of the session that the server has taken
  /// @param usesMemory whether the offered shared memory is used
  /// @param pages the shard's pages, for a client that uses shared memory
  record Answer(boolean isKnown, long received, boolean usesMemory, Pages pages) {
    private byte[] bytes() {
      byte[] text = pages.path().getBytes(StandardCharsets.UTF_8);
      return ByteBuffer.allocate(28 + text.length)
          .put((byte) (isKnown ? 1 : 0))
          .putLong(received)
          .put((byte) (usesMemory ? 1 : 0))
          .putShort((short) text.length)
          .put(text)
          .putLong(pages.mark().getMostSignificantBits())
          .putLong(pages.mark().getLeastSignificantBits())
          .array();
    }

    private static Answer read(byte first, DataInputStream in) throws IOException {
      long received = in.readLong();
      boolean usesMemory = in.readByte() != 0;
      var pages = new Pages(text(in), new UUID(in.readLong(), in.readLong()));
      return new Answer(first != 0, received, usesMemory, pages);
    }
  }

  /// Where the pages of a shard lie.
  ///
  /// @param path of their file, as the shard's process sees it; empty for none
  /// @param mark with which the file begins, so that no other one is taken for it
  record Pages(String path, UUID mark) {
    static final Pages NONE = new Pages("", new UUID(0, 0));
  }

  /// Decides on a wish of a client that has shown that it knows the token.
  interface Decision {
    Answer on(Wish wish) throws IOException;
  }

  /// The other side does not know the token, or is no end of a link at all.
  static final class DeniedException extends IOException {
    private static final long serialVersionUID = 1;

    DeniedException(String message) {
      super(message);
    }
  }

  private final SecretKeySpec key;

  /// @param token of the job, not empty
  Handshake(String token) {
    key = new SecretKeySpec(token.getBytes(StandardCharsets.UTF_8), ALGORITHM);
  }

  /// The client's part.
  Answer ask(DataInputStream in, DataOutputStream out, Wish wish) throws IOException {
    if (in.readInt() != MAGIC || in.readByte() != VERSION) {
      throw new DeniedException("what listens there is no shard of this version");
    }
    byte[] theirs = exactly(CHALLENGE_BYTES, in);
    byte[] ours = challenge();
    byte[] wishes = wish.bytes();
    out.write(
        ByteBuffer.allocate(ours.length + wishes.length + MAC_BYTES)
            .put(ours)
            .put(wishes)
            .put(mac("client", theirs, ours, wishes))
            .array());
    byte first = in.readByte();
    if (first == DENIED) {
      throw new DeniedException("the shard turned this worker away: the job's token is needed");
    }
    Answer answer = Answer.read(first, in);
    byte[] shown = exactly(MAC_BYTES, in);
    if (!MessageDigest.isEqual(shown, mac("server", theirs, ours, answer.bytes()))) {
      throw new DeniedException("what listens there does not know the job's token");
    }
    return answer;
  }

  /// The server's part.
  ///
  /// @throws DeniedException when the client does not know the token
  Wish receive(DataInputStream in, DataOutputStream out, Decision decision) throws IOException {
    byte[] ours = challenge();
    out.write(
        ByteBuffer.allocate(5 + CHALLENGE_BYTES).putInt(MAGIC).put(VERSION).put(ours).array());
    byte[] theirs = exactly(CHALLENGE_BYTES, in);
    Wish wish = Wish.read(in);
    byte[] shown = exactly(MAC_BYTES, in);
    if (!MessageDigest.isEqual(shown, mac("client", ours, theirs, wish.bytes()))) {
      out.write(DENIED);
      throw new DeniedException("a caller did not know the job's token");
    }
    byte[] answer = decision.on(wish).bytes();
    out.write(
        ByteBuffer.allocate(answer.length + MAC_BYTES)
            .put(answer)
            .put(mac("server", ours, theirs, answer))
            .array());
    return wish;
  }

  private static String text(DataInputStream in) throws IOException {
    int length = in.readUnsignedShort();
    if (length > MAX_TEXT_BYTES) {
      throw new IOException("a name of %d bytes is too long".formatted(length));
    }
    return new String(exactly(length, in), StandardCharsets.UTF_8);
  }

  private static byte[] exactly(int bytes, DataInputStream in) throws IOException {
    byte[] read = new byte[bytes];
    in.readFully(read);
    return read;
  }

  private static byte[] challenge() {
    byte[] bytes = new byte[CHALLENGE_BYTES];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  private byte[] mac(String role, byte[]... parts) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      mac.update(role.getBytes(StandardCharsets.UTF_8));
      for (byte[] part : parts) {
        mac.update(part);
      }
      return mac.doFinal();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }
}
