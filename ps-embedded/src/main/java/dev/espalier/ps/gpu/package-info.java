/// Pages on a device: its driver, its memory, and the kernels that work on it.
@NullMarked
package dev.espalier.ps.gpu;

import org.jspecify.annotations.NullMarked;
