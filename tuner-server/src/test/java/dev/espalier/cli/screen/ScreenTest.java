package dev.espalier.cli.screen;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ScreenTest {
  @ParameterizedTest
  @CsvSource({
    "0,0",
    "64,64",
    "0.0123456,0.01235",
    "0.9,0.9",
    "1e-7,1e-07",
    "12345.678,12346",
    "1.23456,1.235",
    "123.456,123.5",
    "-0.5,-0.5",
    "NaN,NaN",
    "0.00012345,0.0001235",
    "3e12,3e+12"
  })
  void numberHasAtMostFourDigits(double value, String expected) {
    assertThat(Words.number(value)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource({
    "0,0 ms",
    "0.85,850 ms",
    "12.34,12.3 s",
    "59.99,1 m 00 s",
    "125,2 m 05 s",
    "3720,1 h 02 m",
    "NaN,-"
  })
  void secondsHaveTheirUnit(double seconds, String expected) {
    assertThat(Words.seconds(seconds)).isEqualTo(expected);
  }

  @Test
  void settingIsSortedByName() {
    assertThat(Words.setting(Map.of("momentum", 0.9, "batchSize", 64.0)))
        .isEqualTo("batchSize 64, momentum 0.9");
    assertThat(Words.setting(Map.of())).isEqualTo("-");
  }

  @Test
  void sparklineFallsAsItsValuesDo() {
    List<Double> values = List.of(8.0, 7.0, 6.0, Double.NaN, 4.0, 3.0, 2.0, 1.0);

    assertThat(Sparkline.of(values, 8, true)).isEqualTo("█▇▆ ▄▃▂▁");
    assertThat(Sparkline.of(values, 4, false)).hasSize(4).startsWith("@").endsWith("_");
    assertThat(Sparkline.of(List.of(), 8, true)).isEmpty();
    assertThat(Sparkline.of(List.of(1.0, 1.0), 8, true)).isEqualTo("▁▁");
  }

  @Test
  void tableAlignsNumbersToTheRight() {
    var table = new Table("branch", "speed", "verdict");
    table.row("#1", "0.5/s", "kept").row("#12", "-", "diverged");

    assertThat(table.lines())
        .containsExactly(
            "branch  speed  verdict", "    #1  0.5/s  kept", "   #12      -  diverged");
  }

  @Test
  void tableGivesUpColumnsAndBreaksItsLastOne() {
    var table = new Table("id", "rule", "by", "outcome").sparing("by", "rule");
    table.row("1", "racing.adopt", "policy", "Adopted branch #12: all others were worse");

    assertThat(table.lines(200)).isEqualTo(table.lines()).hasSize(2);
    assertThat(table.lines(58))
        .containsExactly(
            "id  rule          outcome",
            " 1  racing.adopt  Adopted branch #12: all others were",
            "                  worse");
    assertThat(table.lines(30))
        .containsExactly("id  outcome", " 1  Adopted branch #12: all", "    others were worse");
    assertThat(table.lines(10))
        .containsExactly("id  outcome", " 1  Adopted branch #12: all others were worse");
  }

  @Test
  void lineIsCutByWhatIsSeenOfIt() {
    assertThat(cut("\u001b[31mabcdef\u001b[0m", 3)).isEqualTo("\u001b[31mabc\u001b[0m");
    assertThat(LiveArea.cut("\u001b[31mabcdef\u001b[0mx", 3, "\u2026"))
        .isEqualTo("\u001b[31mab\u2026\u001b[0m");
    assertThat(cut("abc", 3)).isEqualTo("abc");
    assertThat(cut("a\nb\tc", 9)).isEqualTo("a b c");
    assertThat(cut("\u6a21\u578babc", 5)).isEqualTo("\u6a21\u578ba");
    assertThat(cut("\u6a21\u578b", 3)).isEqualTo("\u6a21");
    assertThat(cut("\ud83d\ude80e\u0301x", 4)).isEqualTo("\ud83d\ude80e\u0301x");
  }

  private static String cut(String line, int columns) {
    return LiveArea.cut(line, columns, "");
  }

  @Test
  void wideCharactersKeepColumnsStraight() {
    var table = new Table("name", "state");
    table.row("\u6a21\u578b", "a").row("abcdef", "b");

    assertThat(table.lines()).containsExactly("name    state", "\u6a21\u578b    a", "abcdef  b");
  }

  @ParameterizedTest
  @CsvSource({"40 132,40,132", "0 0,24,100", "2 10,24,100", "x,24,100", "99999999999 1,24,100"})
  void sizeIsWhatTheTerminalSays(String words, int rows, int columns) {
    assertThat(Terminal.Size.of(words + "\n")).isEqualTo(new Terminal.Size(rows, columns));
  }

  @Test
  void frameNeverScrollsAway() {
    var bytes = new ByteArrayOutputStream();
    var out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
    List<String> lines = IntStream.range(0, 30).mapToObj(i -> "line " + i + "\nmore").toList();
    try (var area = new LiveArea(new Terminal(out, true, false, true, new Terminal.Size(24, 80)))) {
      area.draw(lines);
      area.draw(lines);
    }

    String text = bytes.toString(StandardCharsets.UTF_8);
    assertThat(text).contains("\u001b[23F").contains("line 22 more").doesNotContain("line 23");
    assertThat(text.chars().filter(c -> c == '\n')).hasSize(46);
  }
}
