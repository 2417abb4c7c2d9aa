package dev.espalier.ps.table;

/// Values for some rows of one table.
///
/// The array belongs to the batch: nobody writes it after the batch is made.
///
/// @param table index of the table in the parameter server's list
/// @param rows which rows
/// @param values `rows.count() x columns`, row after row
public record RowBatch(int table, RowSelection rows, float[] values) {}
