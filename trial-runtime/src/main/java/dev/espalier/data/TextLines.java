package dev.espalier.data;

import dev.espalier.api.model.EspalierException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Collectors;

/* The lines of a text file and a scanner over the current one.
 *
 * Rating and LIBSVM files hold millions of short numbers, so numbers are parsed from the bytes: a
 * decimal of at most 15 digits and 22 decimal places is an exact double divided by an exact power
 * of ten, which rounds once and therefore right (Clinger 1990); anything else goes through
 * Double.parseDouble.
 */
final class TextLines implements AutoCloseable {
  private static final int MAX_LINE_BYTES = 1 << 24;
  private static final int EXACT_DIGITS = 15;

  /// What some programs put before text in UTF-8.
  private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

  private static final double[] POWERS_OF_TEN = {
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22
  };

  private final DataFile file;
  private final ByteSource source;
  private byte[] line = new byte[256];
  private int length;
  private int at;
  private long lineNumber;

  TextLines(DataFile file) {
    this.file = file;
    this.source = new ByteSource(file);
  }

  /// Moves to the next line that is not blank.
  ///
  /// @return false at the end of the file
  boolean next() {
    do {
      if (!readLine()) {
        return false;
      }
      skipBlanks();
    } while (atEnd());
    return true;
  }

  private boolean readLine() {
    int value = source.next();
    if (value < 0) {
      return false;
    }
    lineNumber++;
    length = 0;
    at = 0;
    while (value >= 0 && value != '\n') {
      if (length == line.length) {
        grow();
      }
      line[length++] = (byte) value;
      value = source.next();
    }
    if (length > 0 && line[length - 1] == '\r') {
      length--;
    }
    if (lineNumber == 1 && startsWithByteOrderMark()) {
      at = BYTE_ORDER_MARK.length;
    }
    return true;
  }

  private boolean startsWithByteOrderMark() {
    int mark = BYTE_ORDER_MARK.length;
    return length >= mark && Arrays.equals(line, 0, mark, BYTE_ORDER_MARK, 0, mark);
  }

  private void grow() {
    if (length >= MAX_LINE_BYTES) {
      throw invalid("expected a line of at most " + MAX_LINE_BYTES + " bytes but it is longer");
    }
    line = Arrays.copyOf(line, 2 * length);
  }

  /// {@return an error in the current line; in an empty file in its first}
  EspalierException invalid(String expectation) {
    return file.invalidLine(Math.max(1, lineNumber), expectation);
  }

  /// {@return the rest of the line, without blanks at its end}
  String text() {
    return new String(line, at, length - at, StandardCharsets.UTF_8).stripTrailing();
  }

  boolean atEnd() {
    return at == length;
  }

  /// {@return the byte at the scanner, or -1 at the end of the line}
  int peek() {
    return at < length ? line[at] & 0xff : -1;
  }

  /// Takes one byte from the line.
  void skip() {
    at++;
  }

  /// {@return whether the rest of the line has this text}
  boolean contains(String text) {
    return rest().contains(text);
  }

  /// {@return whether the rest of the line has a digit before this text}
  boolean hasDigitBefore(String text) {
    String rest = rest();
    int end = rest.indexOf(text);
    return rest.substring(0, end < 0 ? rest.length() : end).chars().anyMatch(TextLines::isDigit);
  }

  void skipBlanks() {
    while (at < length && isBlank(line[at])) {
      at++;
    }
  }

  private static boolean isBlank(byte value) {
    return value == ' ' || value == '\t';
  }

  /// Takes `separator` from the line.
  void expect(String separator, String after) {
    for (int i = 0; i < separator.length(); i++) {
      if (peek() != separator.charAt(i)) {
        throw invalid(
            "expected " + shown(separator) + " after the " + after + " but found " + found());
      }
      at++;
    }
  }

  /// Takes blanks from the line, of which there must be one unless the line ends.
  void expectBlanks(String after) {
    if (!atEnd() && !isBlank(line[at])) {
      throw invalid("expected a blank after the " + after + " but found " + found());
    }
    skipBlanks();
  }

  /// Takes blanks from the line, behind which it must end.
  ///
  /// @param expected all that the line is to have
  void expectNoMoreThan(String expected) {
    skipBlanks();
    if (!atEnd()) {
      throw invalid("expected " + expected + " but there is more");
    }
  }

  /// Takes a whole number from the line.
  ///
  /// @param what its name in messages
  int integer(String what, int min, int max) {
    int start = at;
    boolean negative = peek() == '-';
    if (negative) {
      at++;
    }
    int firstDigit = at;
    long value = 0;
    while (isDigit(peek()) && at - firstDigit < EXACT_DIGITS) {
      value = 10 * value + (peek() - '0');
      at++;
    }
    if (at == firstDigit || isPartOfNumber(peek())) {
      at = start;
      throw invalid(what + " must be a whole number but is " + found());
    }
    value = negative ? -value : value;
    if (value < min || value > max) {
      throw invalid(what + " must lie in [" + min + ", " + max + "] but is " + value);
    }
    return (int) value;
  }

  /// Takes a finite decimal number from the line.
  ///
  /// @param what its name in messages
  double decimal(String what) {
    int start = at;
    boolean negative = peek() == '-';
    if (negative || peek() == '+') {
      at++;
    }
    long digits = 0;
    int digitCount = 0;
    int decimals = 0;
    boolean pointSeen = false;
    for (int next = peek(); isDigit(next) || (next == '.' && !pointSeen); next = peek()) {
      at++;
      if (next == '.') {
        pointSeen = true;
      } else {
        digits = 10 * digits + (next - '0');
        digitCount++;
        decimals += pointSeen ? 1 : 0;
      }
    }
    if (digitCount == 0 || digitCount > EXACT_DIGITS || isPartOfNumber(peek())) {
      at = start;
      return slowDecimal(what);
    }
    double value = digits / POWERS_OF_TEN[decimals];
    return negative ? -value : value;
  }

  private double slowDecimal(String what) {
    int start = at;
    while (isPartOfNumber(peek())) {
      at++;
    }
    String text = new String(line, start, at - start, StandardCharsets.ISO_8859_1);
    double value;
    try {
      value = Double.parseDouble(text);
    } catch (NumberFormatException _) {
      at = start;
      throw notANumber(what);
    }
    if (!Double.isFinite(value)) {
      at = start;
      throw invalid(what + " must be finite but is " + found());
    }
    if (text.chars().anyMatch(TextLines::isOfALiteral)) {
      at = start;
      throw notANumber(what);
    }
    return value;
  }

  private EspalierException notANumber(String what) {
    return invalid(what + " must be a number but is " + found());
  }

  /// Java takes its own literals, too, such as `1f` and `0x1p3`.
  private static boolean isOfALiteral(int letter) {
    return "dDfFxX".indexOf(letter) >= 0;
  }

  private static boolean isDigit(int value) {
    return value >= '0' && value <= '9';
  }

  private static boolean isPartOfNumber(int value) {
    return isDigit(value)
        || value == '.'
        || value == '+'
        || value == '-'
        || (value >= 'a' && value <= 'z')
        || (value >= 'A' && value <= 'Z');
  }

  private String found() {
    if (atEnd()) {
      return "the end of the line";
    }
    String text = rest();
    return shown(text.length() > 20 ? text.substring(0, 20) + "..." : text);
  }

  private String rest() {
    return new String(line, at, length - at, StandardCharsets.ISO_8859_1);
  }

  private static String shown(String text) {
    String plain =
        text.replace("\t", "\\t")
            .chars()
            .mapToObj(
                c -> Character.isISOControl(c) ? "\\x%02x".formatted(c) : Character.toString(c))
            .collect(Collectors.joining());
    return "\"" + plain + "\"";
  }

  @Override
  public void close() {
    source.close();
  }
}
