/// What is done to updates and reads so that less travels between workers.
@NullMarked
package dev.espalier.ps.filter;

import org.jspecify.annotations.NullMarked;
