package dev.espalier.cli.screen;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Where a command writes, and what may be written there.
///
/// @param isLive whether somebody looks at it and lines may be drawn again
/// @param hasColour whether colours may be used
/// @param hasUnicode whether more than ASCII may be used
/// @param size as it was when the command began
public record Terminal(
    PrintStream out, boolean isLive, boolean hasColour, boolean hasUnicode, Size size) {

  /// {@return the terminal of this process}
  ///
  /// @param out its standard output
  public static Terminal ofProcess(
      PrintStream out, Map<String, String> environment, boolean noColour) {
    var console = System.console();
    boolean live =
        console != null && console.isTerminal() && !"dumb".equals(environment.get("TERM"));
    boolean colour = live && !noColour && environment.getOrDefault("NO_COLOR", "").isEmpty();
    boolean unicode = out.charset().equals(StandardCharsets.UTF_8);
    return new Terminal(out, live, colour, unicode, live ? Size.measured() : Size.DEFAULT);
  }

  /// {@return a plain stream that nobody looks at}
  public static Terminal plain(PrintStream out) {
    return new Terminal(out, false, false, true, Size.DEFAULT);
  }

  /// How large a terminal is, in characters.
  public record Size(int rows, int columns) {
    static final Size DEFAULT = new Size(24, 100);
    private static final int LEAST = 5;
    private static final int NARROWEST = 20;

    private static Size measured() {
      try {
        var stty =
            new ProcessBuilder("stty", "size")
                .redirectInput(ProcessBuilder.Redirect.INHERIT)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (stty.waitFor(1, TimeUnit.SECONDS) && stty.exitValue() == 0) {
          return of(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
        }
      } catch (IOException e) {
        return DEFAULT;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return DEFAULT;
    }

    /// {@return what `stty size` says, such as `24 80`; the default where that cannot be}
    static Size of(String words) {
      String[] numbers = words.strip().split(" ", 2);
      if (numbers.length < 2 || !(numbers[0] + numbers[1]).matches("\\d{2,8}")) {
        return DEFAULT;
      }
      int rows = Integer.parseInt(numbers[0]);
      int columns = Integer.parseInt(numbers[1]);
      return new Size(
          rows >= LEAST ? rows : DEFAULT.rows, columns >= NARROWEST ? columns : DEFAULT.columns);
    }
  }

  /// Marks of text.
  public enum Style {
    BOLD("1"),
    DIM("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33"),
    CYAN("36");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  /// {@return `text` in a style, where there are styles}
  public String styled(Style style, String text) {
    return hasColour && !text.isEmpty() ? "\u001b[" + style.code + "m" + text + "\u001b[0m" : text;
  }

  /// {@return columns for a line; as many as it takes where nobody looks at it}
  public int room() {
    return isLive ? size.columns : Integer.MAX_VALUE;
  }

  /// {@return whether its reader went away, as `head` does when it has enough}
  public boolean isClosed() {
    return out.checkError();
  }

  public void line(String line) {
    out.println(line);
  }

  public void lines(List<String> lines) {
    lines.forEach(out::println);
  }
}
