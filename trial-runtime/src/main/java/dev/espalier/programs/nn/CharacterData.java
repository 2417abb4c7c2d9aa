package dev.espalier.programs.nn;

import dev.espalier.data.DataFile;
import dev.espalier.data.DataFolder;
import java.util.Arrays;

/// A text as a sequence of symbols: the distinct bytes of the text, numbered in their order.
///
/// The last tenth is for validation.
///
/// @param symbols the text, each byte the number of a symbol as an unsigned byte
/// @param letters the byte that each symbol stands for, ascending; at least one
/// @param training how many bytes from the start are for training
record CharacterData(byte[] symbols, byte[] letters, int training) {
  private static final int VALIDATION_SHARE = 10;

  /// {@return how many symbols there are}
  int alphabet() {
    return letters.length;
  }

  /// {@return what a symbol is called: its character in ASCII, or such as `0x0a`}
  String name(int symbol) {
    int letter = letters[symbol] & 0xff;
    return letter > ' ' && letter < 0x7f ? Character.toString(letter) : "0x%02x".formatted(letter);
  }

  /// {@return the symbol at a place, from 0}
  int symbol(int at) {
    return symbols[at] & 0xff;
  }

  int validation() {
    return symbols.length - training;
  }

  /// Reads a text file.
  ///
  /// @param name plain file name; empty for the only file of the folder
  /// @param length bytes of a sequence: both parts must hold one and the byte behind it
  /// @param characters how many bytes of the file are used, from its start; 0 for all
  static CharacterData read(DataFolder folder, String name, int length, int characters) {
    DataFile file = folder.require(name.isBlank() ? folder.onlyName("text") : name);
    byte[] text = characters == 0 ? file.bytes() : file.bytes(characters);
    int needed = VALIDATION_SHARE * (length + 1);
    if (text.length < needed) {
      throw file.invalid(
          "expected at least %d bytes, so that a tenth holds a sequence of %d, but it has %d"
              .formatted(needed, length, text.length));
    }
    return of(text);
  }

  /// Numbers the bytes of a text.
  static CharacterData of(byte[] text) {
    int[] numbers = new int[256];
    for (byte symbol : text) {
      numbers[symbol & 0xff] = 1;
    }
    byte[] letters = new byte[numbers.length];
    int alphabet = 0;
    for (int i = 0; i < numbers.length; i++) {
      letters[alphabet] = (byte) i;
      alphabet += numbers[i];
      numbers[i] = alphabet - 1;
    }
    byte[] symbols = new byte[text.length];
    for (int i = 0; i < text.length; i++) {
      symbols[i] = (byte) numbers[text[i] & 0xff];
    }
    return new CharacterData(
        symbols, Arrays.copyOf(letters, alphabet), text.length - text.length / VALIDATION_SHARE);
  }
}
