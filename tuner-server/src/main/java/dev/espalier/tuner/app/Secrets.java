package dev.espalier.tuner.app;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// Hashes of secrets: what is stored in place of them.
public final class Secrets {
  private Secrets() {}

  public static byte[] sha256(String secret) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(secret.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException("every JDK has SHA-256", impossible);
    }
  }

  /// {@return whether `secret` has this hash, in a time that does not tell}
  public static boolean matches(String secret, byte[] sha256) {
    return MessageDigest.isEqual(sha256(secret), sha256);
  }
}
