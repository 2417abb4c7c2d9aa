package dev.espalier.ps.table;

/// Values that lie on a device, until they are released.
public interface DeviceValues {

  /// Where they lie: row after row.
  long address();

  /// How many there are.
  int count();

  /// Copies them to the host.
  float[] download();

  /// Gives their memory back, for work that is queued behind what reads them.
  void release();
}
