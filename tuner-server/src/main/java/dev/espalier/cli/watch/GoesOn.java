package dev.espalier.cli.watch;

import java.io.PrintStream;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/// Says which jobs go on when Ctrl-C ends the command that follows them.
public final class GoesOn implements AutoCloseable {
  private final PrintStream err;
  private final Set<String> jobs = new ConcurrentSkipListSet<>();
  private final Thread hook = new Thread(this::tell, "tell-what-goes-on");

  public GoesOn(PrintStream err) {
    this.err = err;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  public void begun(String job) {
    jobs.add(job);
  }

  public void ended(String job) {
    jobs.remove(job);
  }

  void tell() {
    jobs.forEach(job -> err.println(job + " goes on; espalier job cancel " + job + " ends it"));
    err.flush();
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends, and the hook tells.
    }
  }
}
