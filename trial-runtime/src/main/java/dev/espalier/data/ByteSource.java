package dev.espalier.data;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/// The unpacked bytes of a data file, read once from front to back.
final class ByteSource implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;

  private final DataFile file;
  private final InputStream input;
  private final byte[] buffer = new byte[BUFFER_BYTES];
  private long bytesBeforeBuffer;
  private int at;
  private int end;

  ByteSource(DataFile file) {
    this.file = file;
    this.input = open(file);
  }

  /// {@return how many unpacked bytes were taken so far}
  long offset() {
    return bytesBeforeBuffer + at;
  }

  /// {@return the next byte in [0, 255], or -1 at the end}
  int next() {
    if (at == end && !fill()) {
      return -1;
    }
    return buffer[at++] & 0xff;
  }

  /// Takes bytes until `target` is full.
  ///
  /// @return how many were there, less than asked for only at the end
  int read(byte[] target) {
    int count = 0;
    while (count < target.length && (at < end || fill())) {
      int part = Math.min(target.length - count, end - at);
      System.arraycopy(buffer, at, target, count, part);
      at += part;
      count += part;
    }
    return count;
  }

  /// {@return all bytes that are left}
  byte[] rest() {
    byte[] bytes = rest(Capacity.MOST);
    if (at < end || fill()) {
      throw file.invalid("expected at most %d bytes but there are more".formatted(Capacity.MOST));
    }
    return bytes;
  }

  /// {@return the bytes that are left, `most` of them if there are more, which are not read then}
  byte[] rest(int most) {
    byte[] bytes = new byte[Math.min(BUFFER_BYTES, most)];
    int count = 0;
    while (count < most && (at < end || fill())) {
      int part = Math.min(end - at, most - count);
      if (part > bytes.length - count) {
        int larger = Capacity.larger(bytes.length, (long) count + part, file, "bytes");
        bytes = Arrays.copyOf(bytes, Math.min(most, larger));
      }
      System.arraycopy(buffer, at, bytes, count, part);
      count += part;
      at += part;
    }
    return Arrays.copyOf(bytes, count);
  }

  private boolean fill() {
    bytesBeforeBuffer += end;
    at = 0;
    end = 0;
    try {
      end = Math.max(0, input.read(buffer));
    } catch (EOFException _) {
      throw file.invalidByte(
          bytesBeforeBuffer, "expected more " + packing() + " data but the file is cut off here");
    } catch (ZipException e) {
      throw file.invalidByte(
          bytesBeforeBuffer, "expected valid packed data but: " + e.getMessage());
    } catch (IOException e) {
      throw file.invalidByte(bytesBeforeBuffer, "cannot be read: " + e.getMessage());
    }
    return end > 0;
  }

  private String packing() {
    return file.entry().isPresent() ? "zip" : "gzip";
  }

  @Override
  public void close() {
    try {
      input.close();
    } catch (IOException e) {
      throw file.invalid("cannot be closed: " + e.getMessage());
    }
  }

  private static InputStream open(DataFile file) {
    try {
      if (file.entry().isPresent()) {
        return archived(file, file.entry().get());
      }
      boolean packed;
      try (InputStream probe = Files.newInputStream(file.path())) {
        byte[] magic = probe.readNBytes(2);
        packed = magic.length == 2 && magic[0] == 0x1f && magic[1] == (byte) 0x8b;
      }
      InputStream plain = Files.newInputStream(file.path());
      return packed ? unpacked(file, plain) : plain;
    } catch (NoSuchFileException _) {
      throw file.invalid("expected a data file but there is none");
    } catch (IOException e) {
      throw file.invalid("cannot be read: " + e.getMessage());
    }
  }

  private static InputStream unpacked(DataFile file, InputStream plain) throws IOException {
    try {
      return new GZIPInputStream(plain, BUFFER_BYTES);
    } catch (EOFException | ZipException e) {
      plain.close();
      throw file.invalidByte(0, "expected a gzip header but: " + e.getMessage());
    }
  }

  private static InputStream archived(DataFile file, String name) throws IOException {
    ZipInputStream archive = new ZipInputStream(Files.newInputStream(file.path()));
    try {
      for (ZipEntry entry = archive.getNextEntry(); entry != null; entry = archive.getNextEntry()) {
        if (entry.getName().equals(name)) {
          return archive;
        }
      }
    } catch (IOException e) {
      archive.close();
      throw e;
    }
    archive.close();
    throw file.invalid("expected an entry of this name but the archive has none");
  }
}
