package dev.espalier.tuner.persistence;

import dev.espalier.api.rest.TokenView;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// The row of an API token.
@Entity
@Table(name = "api_token")
class TokenEntity {
  @Id
  @Column(name = "token_id")
  String id;

  @Column(name = "name")
  String name;

  @Column(name = "secret_sha256")
  byte[] sha256;

  @Column(name = "create_time")
  Instant createTime;

  @Column(name = "last_use_time")
  @Nullable Instant lastUseTime;

  @Column(name = "revoke_time")
  @Nullable Instant revokeTime;

  /// For JPA only.
  @SuppressWarnings("NullAway.Init")
  protected TokenEntity() {}

  TokenEntity(String id, String name, byte[] sha256, Instant now) {
    this.id = id;
    this.name = name;
    this.sha256 = sha256.clone();
    createTime = now;
  }

  TokenView view() {
    return new TokenView(id, name, createTime, lastUseTime, revokeTime, null);
  }
}
