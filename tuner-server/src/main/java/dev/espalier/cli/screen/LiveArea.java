package dev.espalier.cli.screen;

import java.util.List;

/// The last lines of a terminal, drawn again in place.
///
/// Used by one thread, but for the end, which a shutdown hook may call.
public final class LiveArea implements AutoCloseable {
  private static final long FRAME_NANOS = 100_000_000;
  private static final String HIDE_CURSOR = "\u001b[?25l";
  private static final String SHOW_CURSOR = "\u001b[?25h";

  private final Terminal terminal;
  private final Thread hook = new Thread(this::showCursor, "show-cursor");
  private int height;
  private long drawnNanos = System.nanoTime() - FRAME_NANOS;

  public LiveArea(Terminal terminal) {
    this.terminal = terminal;
    Runtime.getRuntime().addShutdownHook(hook);
    terminal.out().print(HIDE_CURSOR);
  }

  /// {@return whether the next frame is due; at most ten come in a second}
  public boolean isDue() {
    return System.nanoTime() - drawnNanos >= FRAME_NANOS;
  }

  /// Draws `lines` in place of the last ones, each cut to the width of the terminal.
  public void draw(List<String> lines) {
    var frame = new StringBuilder(height > 0 ? "\u001b[" + height + "F\u001b[J" : "");
    lines.forEach(line -> frame.append(cut(line, terminal.columns() - 1)).append('\n'));
    terminal.out().print(frame);
    terminal.out().flush();
    height = lines.size();
    drawnNanos = System.nanoTime();
  }

  /// {@return at most `columns` visible characters of `line`, escape sequences kept}
  static String cut(String line, int columns) {
    var kept = new StringBuilder();
    int visible = 0;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (c == '\u001b') {
        int end = line.indexOf('m', i);
        if (end < 0) {
          break;
        }
        kept.append(line, i, end + 1);
        i = end;
      } else if (visible < columns) {
        kept.append(c);
        visible++;
      }
    }
    return kept.toString();
  }

  private void showCursor() {
    terminal.out().print(SHOW_CURSOR);
    terminal.out().flush();
  }

  @Override
  public void close() {
    showCursor();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends already, and the hook has run or will.
    }
  }
}
