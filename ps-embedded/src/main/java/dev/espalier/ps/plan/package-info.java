/// What a program's clocks have in common, and how to serve it without looking anything up.
@NullMarked
package dev.espalier.ps.plan;

import org.jspecify.annotations.NullMarked;
