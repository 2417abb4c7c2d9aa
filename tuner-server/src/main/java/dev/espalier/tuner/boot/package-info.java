/// Starts the server: its properties, its beans and what it says when it cannot start.
@NullMarked
package dev.espalier.tuner.boot;

import org.jspecify.annotations.NullMarked;
