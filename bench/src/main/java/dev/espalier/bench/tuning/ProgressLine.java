package dev.espalier.bench.tuning;

import java.io.PrintStream;
import java.util.Locale;

/// A progress bar on one line of a terminal; on anything else a line now and then.
final class ProgressLine {
  private static final int WIDTH = 24;
  private static final long QUIET_NANOS = 15_000_000_000L;

  private final PrintStream out;
  private final boolean isTerminal;
  private String title = "";
  private int total;
  private int done;
  private long startNanos;
  private long shownNanos;

  ProgressLine(PrintStream out, boolean isTerminal) {
    this.out = out;
    this.isTerminal = isTerminal;
  }

  synchronized void begin(String newTitle, int pieces) {
    title = newTitle;
    total = pieces;
    done = 0;
    startNanos = System.nanoTime();
    shownNanos = startNanos;
    if (isTerminal && pieces > 0) {
      show();
    }
  }

  synchronized void done() {
    done++;
    boolean isLast = done == total;
    if (isTerminal || isLast || System.nanoTime() - shownNanos > QUIET_NANOS) {
      show();
    }
    if (isTerminal && isLast) {
      out.println();
    }
  }

  private void show() {
    shownNanos = System.nanoTime();
    double seconds = (shownNanos - startNanos) / 1e9;
    int filled = total == 0 ? WIDTH : WIDTH * done / total;
    String bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
    String left =
        done == 0
            ? ""
            : String.format(Locale.ROOT, ", %.0f s left", seconds / done * (total - done));
    String line =
        String.format(
            Locale.ROOT, "[%s] %d/%d %s, %.0f s%s", bar, done, total, title, seconds, left);
    if (isTerminal) {
      out.print("\r\u001b[2K" + line);
      out.flush();
    } else {
      out.println(line);
    }
  }
}
