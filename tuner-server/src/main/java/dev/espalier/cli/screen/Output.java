package dev.espalier.cli.screen;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A stream of text that remembers why it could not be written.
public final class Output extends PrintStream {
  private final Sink sink;

  public Output(OutputStream out, Charset charset) {
    this(new Sink(out), charset);
  }

  private Output(Sink sink, Charset charset) {
    super(sink, true, charset);
    this.sink = sink;
  }

  /// {@return the standard output of this process}
  public static Output ofProcess() {
    return new Output(new FileOutputStream(FileDescriptor.out), System.out.charset());
  }

  /// {@return why something could not be written; empty when all was, or when its reader went away,
  /// as `head` does when it has enough}
  public Optional<String> failure() {
    checkError();
    return Optional.ofNullable(sink.failure)
        .map(failure -> String.valueOf(failure.getMessage()))
        .filter(reason -> !reason.toLowerCase(Locale.ROOT).contains("pipe"));
  }

  private static final class Sink extends FilterOutputStream {
    private volatile @Nullable IOException failure;

    private Sink(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int character) throws IOException {
      write(new byte[] {(byte) character}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int from, int length) throws IOException {
      try {
        out.write(bytes, from, length);
      } catch (IOException e) {
        failure = e;
        throw e;
      }
    }
  }
}
