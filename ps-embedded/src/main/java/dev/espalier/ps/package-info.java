/// The public face of the branch-versioned parameter server.
@NullMarked
package dev.espalier.ps;

import org.jspecify.annotations.NullMarked;
