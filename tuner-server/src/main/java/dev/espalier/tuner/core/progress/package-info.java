/// From a trace of losses to a speed and a verdict.
@NullMarked
package dev.espalier.tuner.core.progress;

import org.jspecify.annotations.NullMarked;
