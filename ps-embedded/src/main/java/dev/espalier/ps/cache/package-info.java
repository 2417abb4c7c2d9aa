/// What a worker keeps before it sends.
@NullMarked
package dev.espalier.ps.cache;

import org.jspecify.annotations.NullMarked;
