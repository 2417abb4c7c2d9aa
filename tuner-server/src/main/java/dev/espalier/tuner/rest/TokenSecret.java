package dev.espalier.tuner.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.Base64;

/// A secret that somebody shows: a token, a session or a one-time code. Only its hash is kept.
public final class TokenSecret {
  private static final SecureRandom RANDOM = new SecureRandom();

  private final String text;

  private TokenSecret(String text) {
    this.text = text;
  }

  /// {@return a new secret of 256 random bits, such as `esp_...`}
  public static TokenSecret random() {
    byte[] bytes = new byte[32];
    RANDOM.nextBytes(bytes);
    return new TokenSecret("esp_" + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes));
  }

  /// {@return the secret that somebody showed}
  public static TokenSecret of(String text) {
    return new TokenSecret(text);
  }

  /// {@return the secret itself, to be shown once and never logged}
  public String text() {
    return text;
  }

  /// {@return its SHA-256}
  public byte[] sha256() {
    return sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  static byte[] sha256(byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (byte[] part : parts) {
        digest.update(part);
      }
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  @Override
  public String toString() {
    return "TokenSecret[hidden]";
  }
}
