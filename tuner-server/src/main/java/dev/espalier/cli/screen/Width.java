package dev.espalier.cli.screen;

import java.lang.Character.UnicodeScript;
import java.util.EnumSet;
import java.util.Set;

/// How many columns of a terminal a text takes.
final class Width {
  private static final Set<UnicodeScript> WIDE =
      EnumSet.of(
          UnicodeScript.HAN,
          UnicodeScript.HIRAGANA,
          UnicodeScript.KATAKANA,
          UnicodeScript.HANGUL,
          UnicodeScript.BOPOMOFO,
          UnicodeScript.YI);

  private Width() {}

  /// {@return the columns of a text without escape sequences}
  static int of(String text) {
    return text.codePoints().map(Width::of).sum();
  }

  /// {@return 0 for a mark on the character before, 2 for one as wide as high, else 1}
  ///
  /// Source: Unicode Standard Annex 11, as far as the JDK knows its classes.
  static int of(int point) {
    return switch (Character.getType(point)) {
      case Character.NON_SPACING_MARK, Character.ENCLOSING_MARK, Character.FORMAT -> 0;
      default -> isWide(point) ? 2 : 1;
    };
  }

  private static boolean isWide(int point) {
    boolean isHalf = point >= 0xff61 && point <= 0xffdc;
    boolean isFull = point >= 0xff01 && point <= 0xff60 || point >= 0x3000 && point <= 0x303e;
    return !isHalf
        && (isFull
            || Character.isEmojiPresentation(point)
            || WIDE.contains(UnicodeScript.of(point)));
  }
}
