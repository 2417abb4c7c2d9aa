/// A job followed live, as a picture or as lines of a log.
@NullMarked
package dev.espalier.cli.watch;

import org.jspecify.annotations.NullMarked;
