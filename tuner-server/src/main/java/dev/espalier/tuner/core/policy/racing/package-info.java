/// The policy `racing`: laps of an incumbent, and what is raced between them.
@NullMarked
package dev.espalier.tuner.core.policy.racing;

import org.jspecify.annotations.NullMarked;
