package dev.espalier.sdk;

/// The parameters of a table where they lie: rows x columns floats, row by row. Not to be written.
///
/// Close it before the clock ends, if that can be: while it is open an update must go elsewhere.
public interface TableView extends AutoCloseable {
  /// {@return the address of the first value}
  long address();

  /// {@return whether the address is one of a device and not of the host}
  boolean isOnDevice();

  @Override
  void close();
}
