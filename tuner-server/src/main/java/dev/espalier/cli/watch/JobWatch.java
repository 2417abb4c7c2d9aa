package dev.espalier.cli.watch;

import dev.espalier.api.rest.JobView;
import dev.espalier.cli.client.CommandFailure;
import dev.espalier.cli.client.EventStream;
import dev.espalier.cli.client.EventStream.Message;
import dev.espalier.cli.client.ExitStatus;
import dev.espalier.cli.client.Patience;
import dev.espalier.cli.client.TunerClient;
import dev.espalier.cli.screen.LiveArea;
import dev.espalier.cli.screen.Terminal;
import java.time.Duration;
import java.time.Instant;

/*
 * Follows a job until it ends. Events come from the stream; after each new connection everything is
 * read afresh, so nothing is missed whatever the server still knew of the last event. A stream that
 * is silent for two seconds is helped by a look at the job itself.
 */
/// Follows a job, live on a terminal and in lines elsewhere.
public final class JobWatch {
  private static final Duration TICK = Duration.ofMillis(100);
  private static final Duration QUIET = Duration.ofSeconds(2);

  private final TunerClient client;
  private final Terminal terminal;
  private final JobBoard board;
  private final JobPicture picture;
  private final JobLog log = new JobLog();
  private final Patience patience;
  private boolean connected;
  private boolean changed = true;
  private long heardNanos = System.nanoTime();

  public JobWatch(TunerClient client, Terminal terminal, String job) {
    this.client = client;
    this.terminal = terminal;
    this.board = new JobBoard(client.job(job));
    this.picture = new JobPicture(terminal);
    this.patience = new Patience(client.base(), this::tell);
  }

  /// Follows until the job has ended for good, or nobody reads any more.
  ///
  /// @return all that is known of the job then
  /// @throws CommandFailure when the server refuses, or is away for ten minutes
  public JobBoard follow() throws InterruptedException {
    board.refresh(client);
    String path = "/jobs/" + TunerClient.segment(board.job().id()) + "/events";
    try (var stream = new EventStream(client, path)) {
      if (terminal.isLive()) {
        try (var area = new LiveArea(terminal)) {
          live(stream, area);
        }
      } else {
        plain(stream);
      }
    }
    return board;
  }

  /// {@return how the end of a job shows in the exit status of a command that followed it}
  public static ExitStatus statusOf(JobView job) {
    return switch (job.state()) {
      case FAILED -> ExitStatus.JOB_FAILED;
      case CANCELED -> ExitStatus.JOB_CANCELED;
      case QUEUED, STARTING, TUNING, TRAINING, PAUSED, STOPPING, COMPLETED -> ExitStatus.OK;
    };
  }

  private void live(EventStream stream, LiveArea area) throws InterruptedException {
    while (!board.job().state().isTerminal()) {
      step(stream);
      if (area.isDue()) {
        area.draw(picture.draw(board, Instant.now(), patience.note()));
      }
    }
    board.refresh(client);
    area.draw(picture.draw(board, Instant.now(), ""));
  }

  private void plain(EventStream stream) throws InterruptedException {
    while (!board.job().state().isTerminal()) {
      step(stream);
      tellNews();
      if (terminal.isClosed()) {
        return;
      }
    }
    board.refresh(client);
    changed = true;
    tellNews();
  }

  /// A picture has a line for it.
  private void tell(String note) {
    if (!terminal.isLive()) {
      terminal.line(note);
    }
  }

  private void tellNews() {
    if (changed) {
      terminal.lines(log.news(board, Instant.now()));
      terminal.out().flush();
      changed = false;
    }
  }

  private void step(EventStream stream) throws InterruptedException {
    Message message = stream.poll(TICK).orElse(null);
    switch (message) {
      case Message.Event(var type, var data) -> {
        board.apply(type, data);
        changed = true;
        heardNanos = System.nanoTime();
      }
      case Message.Connected(var again) -> {
        connected = true;
        changed = true;
        if (again) {
          tryRefresh();
        }
        patience.back();
      }
      case Message.Lost(var reason) -> {
        connected = false;
        patience.lost(reason);
      }
      case Message.Refused(var failure) -> throw failure;
      case null -> quiet();
    }
  }

  /// A stream may miss what a look at the job finds: only then is everything read.
  private void quiet() {
    if (connected && System.nanoTime() - heardNanos > QUIET.toNanos()) {
      heardNanos = System.nanoTime();
      unlessAway(() -> {
        JobView now = client.job(board.job().id());
        if (now.version() == board.job().version()) {
          changed |= board.update(now);
        } else {
          board.refresh(client);
          changed = true;
        }
      });
    }
  }

  private void tryRefresh() {
    unlessAway(() -> {
      board.refresh(client);
      changed = true;
    });
  }

  /// The stream will say too that the server is away, and say when it is back.
  private static void unlessAway(Runnable question) {
    try {
      question.run();
    } catch (CommandFailure e) {
      if (e.status() != ExitStatus.UNREACHABLE) {
        throw e;
      }
    }
  }
}
