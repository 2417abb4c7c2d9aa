/// What the use cases need of the world.
@NullMarked
package dev.espalier.tuner.app.port;

import org.jspecify.annotations.NullMarked;
