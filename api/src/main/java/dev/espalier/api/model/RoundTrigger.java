package dev.espalier.api.model;

/// What started a tuning round.
public enum RoundTrigger {
  INITIAL,
  RETUNE,
  MANUAL
}
