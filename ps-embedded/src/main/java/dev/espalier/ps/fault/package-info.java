/// What can go wrong in the parameter server.
@NullMarked
package dev.espalier.ps.fault;

import org.jspecify.annotations.NullMarked;
