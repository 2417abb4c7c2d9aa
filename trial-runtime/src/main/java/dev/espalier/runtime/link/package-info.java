/// The worker's end of the channel to the tuner.
@NullMarked
package dev.espalier.runtime.link;

import org.jspecify.annotations.NullMarked;
