// What kernels need of the device beyond C++. The test double of the driver compiles the same
// kernels for the host and brings its own `double.h` for this.
#pragma once

#ifndef __CUDACC__
#include "double.h"
#else

#define WARP 32

/// Loads what is used once.
__device__ __forceinline__ float streamed(const float* address) { return __ldcs(address); }

template <class Word>
__device__ __forceinline__ Word streamed(const Word* address) {
  static_assert(sizeof(Word) == 16, "four floats");
  float4 four = __ldcs(reinterpret_cast<const float4*>(address));
  return Word{{four.x, four.y, four.z, four.w}};
}

/// Loads what may be used again soon.
__device__ __forceinline__ float kept(const float* address) { return __ldca(address); }

template <class Word>
__device__ __forceinline__ Word kept(const Word* address) {
  static_assert(sizeof(Word) == 16, "four floats");
  float4 four = __ldca(reinterpret_cast<const float4*>(address));
  return Word{{four.x, four.y, four.z, four.w}};
}

/// Stores what is not read again soon.
__device__ __forceinline__ void stream(float* address, float value) { __stcs(address, value); }

template <class Word>
__device__ __forceinline__ void stream(Word* address, const Word& value) {
  static_assert(sizeof(Word) == 16, "four floats");
  __stcs(
      reinterpret_cast<float4*>(address),
      make_float4(value.at[0], value.at[1], value.at[2], value.at[3]));
}

/// Stores what may be read again soon.
__device__ __forceinline__ void keep(float* address, float value) { __stwb(address, value); }

template <class Word>
__device__ __forceinline__ void keep(Word* address, const Word& value) {
  static_assert(sizeof(Word) == 16, "four floats");
  __stwb(
      reinterpret_cast<float4*>(address),
      make_float4(value.at[0], value.at[1], value.at[2], value.at[3]));
}

__device__ __forceinline__ float quotient(float x, float y) { return __fdiv_rn(x, y); }

__device__ __forceinline__ float root(float x) { return __fsqrt_rn(x); }

__device__ __forceinline__ float magnitude(float x) { return fabsf(x); }

__device__ __forceinline__ bool isNegative(float x) { return __float_as_int(x) < 0; }

__device__ __forceinline__ void addAtomically(float* address, float value) {
  asm volatile("red.global.add.f32 [%0], %1;" ::"l"(address), "f"(value) : "memory");
}

/// What a lane of the warp has; all lanes ask.
template <class T>
__device__ __forceinline__ T* fromLane(T* address, int lane) {
  auto bits = reinterpret_cast<unsigned long long>(address);
  return reinterpret_cast<T*>(__shfl_sync(0xffffffffu, bits, lane));
}

/// Sum over the lanes of a warp, on every lane.
template <class T>
__device__ __forceinline__ T warpSum(T value) {
#pragma unroll
  for (int distance = WARP / 2; distance > 0; distance /= 2)
    value += __shfl_xor_sync(0xffffffffu, value, distance);
  return value;
}

/// Stores four bits at bit `4 index`; the warp's lanes have consecutive indices.
__device__ __forceinline__ void storeNibble(unsigned* bits, long long index, unsigned nibble) {
  unsigned word = nibble << (4 * (index & 7));
#pragma unroll
  for (int distance = 4; distance > 0; distance /= 2)
    word |= __shfl_xor_sync(0xffffffffu, word, distance);
  if ((index & 7) == 0) bits[index >> 3] = word;
}

#endif
