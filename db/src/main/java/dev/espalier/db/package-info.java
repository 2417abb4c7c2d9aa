/// Schema of the tuner's database, as migrations on the class path.
@NullMarked
package dev.espalier.db;

import org.jspecify.annotations.NullMarked;
