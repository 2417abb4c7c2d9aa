/// The use cases: a runner per job around its session.
@NullMarked
package dev.espalier.tuner.app;

import org.jspecify.annotations.NullMarked;
