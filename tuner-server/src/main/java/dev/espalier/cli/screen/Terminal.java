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
/// @param columns how wide it is
public record Terminal(
    PrintStream out, boolean isLive, boolean hasColour, boolean hasUnicode, int columns) {
  private static final int DEFAULT_COLUMNS = 100;

  /// {@return the terminal of this process}
  public static Terminal ofProcess(Map<String, String> environment, boolean noColour) {
    var console = System.console();
    boolean live =
        console != null && console.isTerminal() && !"dumb".equals(environment.get("TERM"));
    boolean colour = live && !noColour && environment.getOrDefault("NO_COLOR", "").isEmpty();
    boolean unicode = System.out.charset().equals(StandardCharsets.UTF_8);
    return new Terminal(System.out, live, colour, unicode, live ? width() : DEFAULT_COLUMNS);
  }

  /// {@return a plain stream that nobody looks at}
  public static Terminal plain(PrintStream out) {
    return new Terminal(out, false, false, true, DEFAULT_COLUMNS);
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

  public void line(String line) {
    out.println(line);
  }

  public void lines(List<String> lines) {
    lines.forEach(out::println);
  }

  private static int width() {
    try {
      var stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (stty.waitFor(1, TimeUnit.SECONDS) && stty.exitValue() == 0) {
        String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        int columns = Integer.parseInt(size.strip().split(" ")[1]);
        return columns >= 20 ? columns : DEFAULT_COLUMNS;
      }
    } catch (IOException | NumberFormatException | ArrayIndexOutOfBoundsException e) {
      return DEFAULT_COLUMNS;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return DEFAULT_COLUMNS;
  }
}
