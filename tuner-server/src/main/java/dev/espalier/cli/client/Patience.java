package dev.espalier.cli.client;

import java.net.URI;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// How a command waits for a server that is away, while what it follows goes on without it: ten
/// minutes, and it says so once.
///
/// Confined to the thread that waits.
public final class Patience {
  private static final Duration LIMIT = Duration.ofMinutes(10);
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final URI server;
  private final Consumer<String> tell;
  private final LongSupplier nanoTime;
  private String note = "";
  private long lostNanos;

  /// @param tell gets a sentence when the server is lost, and when it is back
  public Patience(URI server, Consumer<String> tell) {
    this(server, tell, System::nanoTime);
  }

  Patience(URI server, Consumer<String> tell, LongSupplier nanoTime) {
    this.server = server;
    this.tell = tell;
    this.nanoTime = nanoTime;
  }

  /// The server did not answer.
  ///
  /// @throws CommandFailure `UNREACHABLE` when it has been away for ten minutes
  public void lost(String reason) {
    long now = nanoTime.getAsLong();
    if (note.isEmpty()) {
      lostNanos = now;
      note = "Lost the server (" + reason + "); trying again, the training goes on meanwhile.";
      tell.accept(note);
    } else if (now - lostNanos > LIMIT.toNanos()) {
      throw new CommandFailure(
          ExitStatus.UNREACHABLE,
          "the server at "
              + server
              + " did not come back within "
              + LIMIT.toMinutes()
              + " minutes");
    }
  }

  /// The server answered.
  public void back() {
    if (!note.isEmpty()) {
      note = "";
      tell.accept("The server is back; going on.");
    }
  }

  /// {@return what to say of a server that is away; empty when it is there}
  public String note() {
    return note;
  }

  /// {@return the answer to a question that may be asked again}
  ///
  /// @throws CommandFailure when the server refuses, or is away for ten minutes
  public <T> T insist(Supplier<T> question) throws InterruptedException {
    while (true) {
      try {
        T answer = question.get();
        back();
        return answer;
      } catch (CommandFailure failure) {
        if (failure.status() != ExitStatus.UNREACHABLE) {
          throw failure;
        }
        lost(failure.words());
      }
      Thread.sleep(PAUSE);
    }
  }
}
