/// How commands reach the shard that owns the rows.
@NullMarked
package dev.espalier.ps.transport;

import org.jspecify.annotations.NullMarked;
