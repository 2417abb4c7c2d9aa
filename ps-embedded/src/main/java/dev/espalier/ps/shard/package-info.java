/// One writer of one range of rows of every table.
@NullMarked
package dev.espalier.ps.shard;

import org.jspecify.annotations.NullMarked;
