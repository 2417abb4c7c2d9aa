package dev.espalier.api.rest;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/// An API token as the API shows it; the token itself is shown once, when it is made.
///
/// @param token the secret; null except in the answer that creates it
public record TokenView(
    String id,
    String name,
    Instant createTime,
    @Nullable Instant lastUseTime,
    @Nullable Instant revokeTime,
    @Nullable String token) {}
