/// Figures of the ways between processes, beside a raw socket.
@NullMarked
package dev.espalier.bench.net;

import org.jspecify.annotations.NullMarked;
