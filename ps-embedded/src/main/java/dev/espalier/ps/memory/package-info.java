/// Reference-counted off-heap pages.
@NullMarked
package dev.espalier.ps.memory;

import org.jspecify.annotations.NullMarked;
