// What `device.h` gives kernels on a device, for a processor: one thread after the other, and warps
// of one thread.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define WARP 1

struct Index {
  unsigned x, y;
};

inline Index gridDim, blockDim, blockIdx, threadIdx;

template <class Word>
inline Word streamed(const Word* address) {
  return *address;
}

template <class Word>
inline void stream(Word* address, const Word& value) {
  *address = value;
}

inline float quotient(float x, float y) { return x / y; }

inline float root(float x) { return std::sqrt(x); }

inline float magnitude(float x) { return std::fabs(x); }

inline bool isNegative(float x) { return std::signbit(x); }

inline void addAtomically(float* address, float value) { *address += value; }

template <class T>
inline T* fromLane(T* address, int) {
  return address;
}

template <class T>
inline T warpSum(T value) {
  return value;
}

inline void storeNibble(unsigned* bits, long long index, unsigned nibble) {
  if ((index & 7) == 0) bits[index >> 3] = 0;
  bits[index >> 3] |= nibble << (4 * (index & 7));
}
