package dev.espalier.cli.watch;

import dev.espalier.cli.screen.ExitHook;
import java.io.PrintStream;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;

/// Says which jobs go on when Ctrl-C ends the command that follows them.
public final class JobsLeftRunning implements AutoCloseable {
  private final PrintStream err;
  private final Set<String> jobs = new ConcurrentSkipListSet<>();
  private final ExitHook hook = new ExitHook("tell-what-goes-on", this::tell);

  public JobsLeftRunning(PrintStream err) {
    this.err = err;
  }

  public void begun(String job) {
    jobs.add(job);
  }

  public void ended(String job) {
    jobs.remove(job);
  }

  private void tell() {
    jobs.forEach(job -> err.println(job + " goes on; espalier job cancel " + job + " ends it"));
    err.flush();
  }

  @Override
  public void close() {
    hook.close();
  }
}
