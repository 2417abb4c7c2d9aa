/// The vocabulary between tuning policies and the outside: events in, effects out.
@NullMarked
package dev.espalier.tuner.core.session;

import org.jspecify.annotations.NullMarked;
