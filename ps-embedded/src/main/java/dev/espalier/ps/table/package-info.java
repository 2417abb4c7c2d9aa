/// What a parameter table is and how its rows are addressed.
@NullMarked
package dev.espalier.ps.table;

import org.jspecify.annotations.NullMarked;
