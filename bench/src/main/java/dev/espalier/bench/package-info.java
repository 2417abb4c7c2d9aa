/// Measurements of the whole system on the machine at hand; never shipped.
@NullMarked
package dev.espalier.bench;

import org.jspecify.annotations.NullMarked;
