package dev.espalier.ps.transport;

/*
 *   0               2       3      4               8
 *   +---------------+-------+------+---------------+--------------
 *   | magic 0x5045  |version| type | frame length  | body ...
 *   +---------------+-------+------+---------------+--------------
 *
 * Little-endian throughout, nothing aligned. The length counts the header too. Bodies:
 *
 *   Read       worker i, branch i, clock l, staleness i, table i, rows
 *   Push       worker i, branch i, clock l, staleness i, rate d, momentum d, samples l, batches
 *   Assign     worker i, branch i, batches
 *   Create, Free, Save   worker i, branch i
 *   Fork       worker i, child i, parent i
 *   Barrier, Withdraw    worker i, name
 *   Explain    worker i
 *   Acknowledged         nothing
 *   Rows       values
 *   BarrierState         completed b
 *   SnapshotTaken        ticket l
 *   Explanation          text
 *   Failed     fault text, message text
 *   Placed     first row l, rows per page i, columns i, count i, count x page i, count x offset l
 *
 *   rows    = kind b, count i, then for kind 0 (range) first l, for 1 (keys) and 2 (keys
 *             that the reader shall know) count x l, for 3 (keys that it knows) name i
 *   batches = count i, then each: table i, rows, coded
 *   coded   = code b; 0: values; 1, 2, 3 for 16 bits and 1 bit: count i, bytes of ValueCode;
 *             4: samples i, columns i, samples x rows floats, samples x columns floats
 *   values  = count i, count x float
 *   text    = length i, UTF-8
 *
 * with b a byte, i an int of 4 bytes, l a long of 8 bytes, d a double.
 */

/// The numbers of the frame format, version 2.
final class FrameLayout {
  static final short MAGIC = 0x5045;
  static final byte VERSION = 2;
  static final int MAGIC_OFFSET = 0;
  static final int VERSION_OFFSET = MAGIC_OFFSET + Short.BYTES;
  static final int TYPE_OFFSET = VERSION_OFFSET + Byte.BYTES;
  static final int LENGTH_OFFSET = TYPE_OFFSET + Byte.BYTES;
  static final int HEADER_BYTES = LENGTH_OFFSET + Integer.BYTES;

  static final byte READ = 1;
  static final byte PUSH = 2;
  static final byte ASSIGN = 3;
  static final byte CREATE = 4;
  static final byte FORK = 5;
  static final byte FREE = 6;
  static final byte SAVE = 7;
  static final byte BARRIER = 8;
  static final byte WITHDRAW = 9;
  static final byte EXPLAIN = 10;

  static final byte ACKNOWLEDGED = 65;
  static final byte ROWS = 66;
  static final byte BARRIER_STATE = 67;
  static final byte SNAPSHOT_TAKEN = 68;
  static final byte EXPLANATION = 69;
  static final byte FAILED = 70;
  static final byte PLACED = 71;

  static final byte RANGE = 0;
  static final byte KEYS = 1;
  static final byte LEARNED_KEYS = 2;
  static final byte NAMED_KEYS = 3;

  static final byte FACTORS = 4;

  private FrameLayout() {}
}
