package dev.espalier.ps.shard;

/// What a shard whose tables lie on a device has of it.
///
/// @param device its name
/// @param budgetBytes bytes that pages may take there
/// @param bytesIn bytes of pages sent to the device so far
/// @param bytesOut bytes of pages sent away from it so far
public record DeviceUse(String device, long budgetBytes, long bytesIn, long bytesOut) {}
