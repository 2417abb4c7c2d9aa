package dev.espalier.cli.screen;

import java.util.List;

/// The last lines of a terminal, drawn again in place.
///
/// Used by one thread, but for the end, which a shutdown hook may call.
public final class LiveArea implements AutoCloseable {
  private static final long FRAME_NANOS = 100_000_000;
  // No cursor, and no line that goes on below: a terminal may become narrower meanwhile.
  private static final String BEGIN = "\u001b[?25l\u001b[?7l";
  private static final String END = "\u001b[?7h\u001b[?25h";

  private final Terminal terminal;
  private final Thread hook = new Thread(this::restore, "restore-terminal");
  private int height;
  private long drawnNanos = System.nanoTime() - FRAME_NANOS;

  public LiveArea(Terminal terminal) {
    this.terminal = terminal;
    Runtime.getRuntime().addShutdownHook(hook);
    terminal.out().print(BEGIN);
  }

  /// {@return whether the next frame is due; at most ten come in a second}
  public boolean isDue() {
    return System.nanoTime() - drawnNanos >= FRAME_NANOS;
  }

  /// Draws `lines` in place of the last ones: what is too wide is cut, and the last ones are left
  /// out where there is no room, as a line that scrolled away can not be drawn again.
  public void draw(List<String> lines) {
    Terminal.Size size = terminal.size();
    List<String> shown = lines.subList(0, Math.min(lines.size(), size.rows() - 1));
    var frame = new StringBuilder(height > 0 ? "\u001b[" + height + "F\u001b[J" : "");
    shown.forEach(line -> frame.append(cut(line, size.columns() - 1)).append('\n'));
    terminal.out().print(frame);
    terminal.out().flush();
    height = shown.size();
    drawnNanos = System.nanoTime();
  }

  /// {@return what of `line` takes at most `columns`, as one line; escape sequences are kept}
  static String cut(String line, int columns) {
    var kept = new StringBuilder();
    int room = columns;
    for (int i = 0; i < line.length(); i += Character.charCount(line.codePointAt(i))) {
      int point = line.codePointAt(i);
      if (point == '\u001b') {
        int end = line.indexOf('m', i);
        if (end < 0) {
          break;
        }
        kept.append(line, i, end + 1);
        i = end;
      } else {
        int shown = Character.isISOControl(point) ? ' ' : point;
        room -= Width.of(shown);
        if (room >= 0) {
          kept.appendCodePoint(shown);
        }
      }
    }
    return kept.toString();
  }

  private void restore() {
    terminal.out().print(END);
    terminal.out().flush();
  }

  @Override
  public void close() {
    restore();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends already, and the hook has run or will.
    }
  }
}
