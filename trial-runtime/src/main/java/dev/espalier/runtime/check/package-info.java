/// Whether a training program keeps to what branches need of it.
@NullMarked
package dev.espalier.runtime.check;

import org.jspecify.annotations.NullMarked;
