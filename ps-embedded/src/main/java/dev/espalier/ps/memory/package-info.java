/// Reference-counted pages in the memory of host and device.
@NullMarked
package dev.espalier.ps.memory;

import org.jspecify.annotations.NullMarked;
