/// The door to the tuning policies: deterministic state machines over one protocol.
@NullMarked
package dev.espalier.tuner.core.policy;

import org.jspecify.annotations.NullMarked;
