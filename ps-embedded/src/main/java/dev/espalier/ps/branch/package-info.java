/// Which version of which page a branch owns.
@NullMarked
package dev.espalier.ps.branch;

import org.jspecify.annotations.NullMarked;
