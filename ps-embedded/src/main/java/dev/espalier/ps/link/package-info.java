/// Commands and replies between processes: in order, once each, whatever happens to the connection.
@NullMarked
package dev.espalier.ps.link;

import org.jspecify.annotations.NullMarked;
