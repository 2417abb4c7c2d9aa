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

  private static final String STYLE = "\u001b\\[[0-9;]*m";

  private final Terminal terminal;
  private final ExitHook hook;
  private int height;
  private long drawnNanos = System.nanoTime() - FRAME_NANOS;

  public LiveArea(Terminal terminal) {
    this.terminal = terminal;
    this.hook = new ExitHook("restore-terminal", this::restore);
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
    String mark = terminal.hasUnicode() ? "\u2026" : "";
    shown.forEach(line -> frame.append(cut(line, size.columns() - 1, mark)).append('\n'));
    terminal.out().print(frame);
    terminal.out().flush();
    height = shown.size();
    drawnNanos = System.nanoTime();
  }

  /// {@return what of `line` takes at most `columns`, as one line; escape sequences are kept}
  ///
  /// @param mark of one column, that stands in the place of what is cut; or none
  static String cut(String line, int columns, String mark) {
    String text = line.replaceAll("[\\p{Cc}&&[^\u001b]]", " ");
    if (Width.of(text.replaceAll(STYLE, "")) <= columns) {
      return text;
    }
    var kept = new StringBuilder();
    int room = columns - mark.length();
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      int point = text.codePointAt(i);
      if (point == '\u001b') {
        int end = text.indexOf('m', i);
        if (end < 0) {
          break;
        }
        kept.append(text, i, end + 1);
        i = end;
      } else if (room >= 0) {
        room -= Width.of(point);
        if (room >= 0) {
          kept.appendCodePoint(point);
        } else {
          kept.append(mark);
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
    hook.close();
  }
}
