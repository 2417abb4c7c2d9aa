// Work for the measurement of transfers that hide behind it: a dense layer whose weights lie in
// pages, `rowsPerPage x columns` each. Plain tiles in registers, no matrix unit, so that it also runs
// on the double of the driver. And random rows alone, read and written without keys and pages.
//
// Build: src/test/cuda/build.sh

#include "device.h"

namespace {

struct alignas(16) Numbers4 {
  float at[4];
};

/// As GpuBenchmark scatters numbers of so many bits.
__device__ __forceinline__ long long scattered(long long number, int bits) {
  for (int round = 0; round < 3; round++) {
    number ^= number >> ((bits + 1) / 2);
    number = number * 0x2C1B3C6D & ((1LL << bits) - 1);
  }
  return number;
}

constexpr int AT_A_TIME = 4;

}  // namespace

extern "C" {

/// Reads `rows` rows of `words` fours at scattered places of a table of `2^bits` rows; where `writes`,
/// writes them back.
__global__ void __launch_bounds__(256) bare_rows(
    Numbers4* table, int bits, int words, long long rows, int writes, float* out) {
  float sum = 0;
  long long count = rows * words, step = (long long)gridDim.x * blockDim.x;
  long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  for (; first < count; first += AT_A_TIME * step) {
    Numbers4 four[AT_A_TIME];
    Numbers4* place[AT_A_TIME];
#pragma unroll
    for (int u = 0; u < AT_A_TIME; u++) {
      long long i = first + u * step;
      place[u] = i < count ? table + scattered(i / words, bits) * words + i % words : nullptr;
      if (place[u] != nullptr) four[u] = streamed(place[u]);
    }
#pragma unroll
    for (int u = 0; u < AT_A_TIME; u++) {
      if (place[u] == nullptr) continue;
      if (writes) stream(place[u], four[u]);
      sum += four[u].at[0] + four[u].at[1] + four[u].at[2] + four[u].at[3];
    }
  }
  // Never: so that what is read is not left out.
  if (sum == 12345.678f) out[0] = sum;
}

/// `y (batch x rows) = x (batch x columns) W^T`: a thread makes 4 x 4; x over rows, y over samples.
__global__ void __launch_bounds__(256) layer_forward(
    const char* const* pages, int rowsPerPage, int columns, int rows, const float* x, int batch,
    float* y) {
  int row = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
  int sample = 4 * (blockIdx.y * blockDim.y + threadIdx.y);
  if (row >= rows || sample >= batch) return;
  const float* w = reinterpret_cast<const float*>(pages[row / rowsPerPage]) +
                   (long long)(row % rowsPerPage) * columns;
  float sum[4][4] = {};
  for (int c = 0; c < columns; c += 4) {
    Numbers4 a[4], b[4];
#pragma unroll
    for (int i = 0; i < 4; i++) {
      a[i] = *reinterpret_cast<const Numbers4*>(w + (long long)i * columns + c);
      b[i] = *reinterpret_cast<const Numbers4*>(x + (long long)(sample + i) * columns + c);
    }
#pragma unroll
    for (int s = 0; s < 4; s++)
#pragma unroll
      for (int r = 0; r < 4; r++)
#pragma unroll
        for (int k = 0; k < 4; k++) sum[s][r] += b[s].at[k] * a[r].at[k];
  }
#pragma unroll
  for (int s = 0; s < 4; s++)
#pragma unroll
    for (int r = 0; r < 4; r++) y[(long long)(sample + s) * rows + row + r] = sum[s][r];
}

/// `g (rows x columns) = y^T x`, summed over the batch: a thread makes 4 x 4; x over columns.
__global__ void __launch_bounds__(256) layer_gradient(
    int columns, int rows, const float* x, const float* y, int batch, float* g) {
  int column = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
  int row = 4 * (blockIdx.y * blockDim.y + threadIdx.y);
  if (row >= rows || column >= columns) return;
  float sum[4][4] = {};
  for (int s = 0; s < batch; s++) {
    Numbers4 a = *reinterpret_cast<const Numbers4*>(y + (long long)s * rows + row);
    Numbers4 b = *reinterpret_cast<const Numbers4*>(x + (long long)s * columns + column);
#pragma unroll
    for (int r = 0; r < 4; r++)
#pragma unroll
      for (int c = 0; c < 4; c++) sum[r][c] += a.at[r] * b.at[c];
  }
#pragma unroll
  for (int r = 0; r < 4; r++) {
    Numbers4 four;
#pragma unroll
    for (int c = 0; c < 4; c++) four.at[c] = sum[r][c];
    *reinterpret_cast<Numbers4*>(g + (long long)(row + r) * columns + column) = four;
  }
}

}  // extern "C"
