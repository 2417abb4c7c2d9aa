// The arithmetic of the parameter server on a device.
//
// A table of a branch is a page table: pages of rows, each page some planes of floats, plane 0 the
// parameters, then one plane per array of optimizer state. Kernels take all pages they concern in
// one launch, through a list of runs or a page table that lies on the device.
//
// Every rule computes the bits of ScalarRowKernels: no fused multiply-add (-fmad=false), quotients
// and roots rounded correctly, subnormal numbers kept. What a kernel costs is the memory it moves, so
// accesses have 16 bytes where rows allow it, and several loads are under way before the first is
// used.
//
// Build: build.sh

#include "device.h"

namespace {

constexpr int THREADS = 256;

/// A run of consecutive floats of one page, to be stepped or copied. 48 bytes, as Java writes it.
struct Run {
  const char* from;        // page as it was
  char* to;                // page as it will be; may be `from`
  const char* seen;        // page as the pushing worker last read it, or null
  long long offset;        // bytes from the start of a plane
  long long gradientIndex; // of the first float in the gradients
  int length;              // floats
  int unused;
};

/// Constants of a rule, as it names them; what a rule has not is unused.
struct Numbers {
  float rate, a, b, c, d, e, f, divisor; // 8 floats, as Java writes them
};

struct alignas(16) Four {
  float at[4];
};

__device__ __forceinline__ Four load(const char* address) {
  return streamed(reinterpret_cast<const Four*>(address));
}

__device__ __forceinline__ float loadOne(const char* address) {
  return streamed(reinterpret_cast<const float*>(address));
}

/// Math.max of Java: NaN wins, and 0 is more than -0.
__device__ __forceinline__ float larger(float x, float y) {
  if (x != x) return x;
  if (y != y) return y;
  if (x == y) return isNegative(x) ? y : x;
  return x > y ? x : y;
}

/// Soft threshold `sign(w) max(|w| - c, 0)`; NaN stays NaN.
__device__ __forceinline__ float soft(float w, float c) {
  float t = magnitude(w) - c;
  if (t <= 0) return 0;
  return w < 0 ? -t : t;
}

// ---- the rules, one each, on one element: `p[0]` is the parameter, `p[1]`, ... its state.

struct Sgd {
  static constexpr int PLANES = 1;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    p[0] = p[0] - k.rate * g;
  }
};

struct Momentum {
  static constexpr int PLANES = 2;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float v = k.a * p[1] + k.b * g;
    p[0] = p[0] - k.rate * v;
    p[1] = v;
  }
};

struct Nesterov {
  static constexpr int PLANES = 2;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float v = k.a * p[1] + g;
    p[0] = p[0] - k.rate * (g + k.a * v);
    p[1] = v;
  }
};

struct AdaGrad {
  static constexpr int PLANES = 2;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float a = p[1] + g * g;
    p[0] = p[0] - quotient(k.rate * g, root(a) + k.a);
    p[1] = a;
  }
};

struct RmsProp {
  static constexpr int PLANES = 2;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float a = k.a * p[1] + (1 - k.a) * (g * g);
    p[0] = p[0] - quotient(k.rate * g, root(a) + k.b);
    p[1] = a;
  }
};

/// a, b: decays; c: epsilon; d, e: factors of the moments; f: weight decay.
struct Adam {
  static constexpr int PLANES = 3;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float w = p[0];
    float m = k.a * p[1] + (1 - k.a) * g;
    float v = k.b * p[2] + (1 - k.b) * (g * g);
    float d = quotient(k.d * m, root(k.e * v) + k.c);
    p[0] = w - k.rate * (d + k.f * w);
    p[1] = m;
    p[2] = v;
  }
};

struct AdaDelta {
  static constexpr int PLANES = 3;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float a = k.a * p[1] + (1 - k.a) * (g * g);
    float x = p[2];
    float d = quotient(root(x + k.b), root(a + k.b)) * g;
    p[0] = p[0] - k.rate * d;
    p[1] = a;
    p[2] = k.a * x + (1 - k.a) * (d * d);
  }
};

/// `back` is what the worker had not seen of the sum of gradients, null where it missed nothing.
struct AdaRevision {
  static constexpr int PLANES = 4;
  static constexpr bool LOOKS_BACK = true;
  __device__ static void step(float* p, float g, const float* back, const Numbers& k) {
    float sum = p[1];
    float z = p[2] + (back == nullptr ? g * g : g * g + 2 * g * *back);
    float old = p[3];
    float most = larger(z, old);
    float rate = quotient(k.rate, root(most + k.a));
    p[0] = p[0] - rate * g;
    if (back != nullptr) {
      float rateOld = quotient(k.rate, root(old + k.a));
      p[0] = p[0] + (rateOld - rate) * *back;
    }
    p[1] = sum + g;
    p[2] = z;
    p[3] = most;
  }
};

struct ProximalSgd {
  static constexpr int PLANES = 1;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float w = p[0] - k.rate * g;
    p[0] = quotient(soft(w, k.rate * k.a), 1 + k.rate * k.b);
  }
};

struct ProximalAdaGrad {
  static constexpr int PLANES = 2;
  static constexpr bool LOOKS_BACK = false;
  __device__ static void step(float* p, float g, const float*, const Numbers& k) {
    float a = p[1] + g * g;
    float h = quotient(k.rate, root(a) + k.a);
    p[0] = quotient(soft(p[0] - h * g, h * k.b), 1 + h * k.c);
    p[1] = a;
  }
};

template <class Rule>
__device__ __forceinline__ void stepOne(
    const Run& run, long long plane, const float* gradients, const Numbers& k, int i) {
  long long at = run.offset + 4LL * i;
  float p[Rule::PLANES];
#pragma unroll
  for (int q = 0; q < Rule::PLANES; q++) p[q] = loadOne(run.from + at + q * plane);
  float g = quotient(
      loadOne(reinterpret_cast<const char*>(gradients + run.gradientIndex + i)), k.divisor);
  bool looks = Rule::LOOKS_BACK && run.seen != nullptr;
  float back = looks ? p[1] - loadOne(run.seen + at + plane) : 0;
  Rule::step(p, g, looks ? &back : nullptr, k);
#pragma unroll
  for (int q = 0; q < Rule::PLANES; q++)
    stream(reinterpret_cast<float*>(run.to + at + q * plane), p[q]);
}

/// Steps floats `first`, `first + stride`, ... in fours, `MANY` of them under way at once.
template <class Rule>
__device__ __forceinline__ void stepFours(
    const Run& run, long long plane, const float* gradients, const Numbers& k, int first,
    int stride, int end) {
  constexpr int MANY = Rule::PLANES == 1 ? 4 : Rule::PLANES <= 3 ? 2 : 1;
  const char* gradient = reinterpret_cast<const char*>(gradients + run.gradientIndex);
  for (int i = first; i < end; i += MANY * stride) {
    Four p[MANY][Rule::PLANES], g[MANY], seen[MANY];
#pragma unroll
    for (int u = 0; u < MANY; u++) {
      int at = i + u * stride;
      if (at >= end) continue;
#pragma unroll
      for (int q = 0; q < Rule::PLANES; q++)
        p[u][q] = load(run.from + run.offset + 4LL * at + q * plane);
      g[u] = load(gradient + 4LL * at);
      if (Rule::LOOKS_BACK && run.seen != nullptr)
        seen[u] = load(run.seen + run.offset + 4LL * at + plane);
    }
#pragma unroll
    for (int u = 0; u < MANY; u++) {
      int at = i + u * stride;
      if (at >= end) continue;
#pragma unroll
      for (int j = 0; j < 4; j++) {
        float element[Rule::PLANES];
#pragma unroll
        for (int q = 0; q < Rule::PLANES; q++) element[q] = p[u][q].at[j];
        bool looks = Rule::LOOKS_BACK && run.seen != nullptr;
        float back = looks ? element[1] - seen[u].at[j] : 0;
        Rule::step(element, quotient(g[u].at[j], k.divisor), looks ? &back : nullptr, k);
#pragma unroll
        for (int q = 0; q < Rule::PLANES; q++) p[u][q].at[j] = element[q];
      }
#pragma unroll
      for (int q = 0; q < Rule::PLANES; q++)
        stream(reinterpret_cast<Four*>(run.to + run.offset + 4LL * at + q * plane), p[u][q]);
    }
  }
}

/// One step of a rule on all runs. A block is `blockDim.x` lanes a run and `blockDim.y` runs;
/// `gridDim.x` blocks share the floats of a run, `gridDim.y` blocks the runs.
template <class Rule>
__device__ __forceinline__ void stepRuns(
    const Run* runs, int count, long long plane, const float* gradients, const Numbers& k) {
  int lane = blockIdx.x * blockDim.x + threadIdx.x;
  int lanes = gridDim.x * blockDim.x;
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < count; r += gridDim.y * blockDim.y) {
    Run run = runs[r];
    long long gradient = reinterpret_cast<long long>(gradients) + 4 * run.gradientIndex;
    bool isAligned = ((run.offset | plane | gradient) & 15) == 0;
    int done = 0;
    if (isAligned) {
      done = run.length & ~3;
      stepFours<Rule>(run, plane, gradients, k, lane * 4, lanes * 4, done);
    }
    for (int i = done + lane; i < run.length; i += lanes)
      stepOne<Rule>(run, plane, gradients, k, i);
  }
}

struct PageTable {
  const char* const* pages;
  int rowsPerPage;
  int columns;
};

__device__ __forceinline__ const char* rowOf(const PageTable& table, long long row) {
  long long page;
  int inPage;
  if (row >> 32 == 0) {
    unsigned small = static_cast<unsigned>(row) / static_cast<unsigned>(table.rowsPerPage);
    page = small;
    inPage = static_cast<int>(static_cast<unsigned>(row) - small * table.rowsPerPage);
  } else {
    page = row / table.rowsPerPage;
    inPage = static_cast<int>(row - page * table.rowsPerPage);
  }
  return table.pages[page] + 4LL * inPage * table.columns;
}

__device__ __forceinline__ float sum(float x, float a, float y) { return x + a * y; }

__device__ __forceinline__ Four sum(const Four& x, float a, const Four& y) {
  Four z;
#pragma unroll
  for (int j = 0; j < 4; j++) z.at[j] = x.at[j] + a * y.at[j];
  return z;
}

/// What is done with the words of a row and the values that belong to them.
enum class Access { COPY, ADD, ADD_ATOMICALLY };

template <class Word>
__device__ __forceinline__ Word* placeOf(const PageTable& table, const long long* rows, long long i) {
  return reinterpret_cast<Word*>(const_cast<char*>(rowOf(table, rows[i])));
}

/// Visits rows word by word. There are `threadsOfARow` threads for each row, a power of two up to a warp:
/// a warp has `WARP / threadsOfARow` rows, each looked up by one lane, which tells the others where it is,
/// and the lanes take the words of all these rows in their order, so that values are moved in whole
/// lines however wide a row is. Nothing goes past the caches: what the memory moves at once is larger
/// than a narrow row, and its other half may be found there.
template <class Word, Access ACCESS>
__device__ __forceinline__ void visit(
    const PageTable& table, const long long* rows, int count, Word* values, float factor,
    int threadsOfARow) {
  constexpr int AT_ONCE = sizeof(Word) == sizeof(Four) ? 4 : 8; // words of a lane under way
  int words = table.columns / (sizeof(Word) / sizeof(float));
  int rowsOfAWarp = WARP / threadsOfARow;
  int lane = threadIdx.x % WARP;
  long long thread = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x;
  long long first = thread / WARP * rowsOfAWarp;
  bool looksUp = lane < rowsOfAWarp && first + lane < count;
  Word* row = looksUp ? placeOf<Word>(table, rows, first + lane) : nullptr;
  Word* value = values + first * words + lane;
  int taken = lane / words, word = lane % words;
  int rowsFurther = WARP / words, wordsFurther = WARP % words;
  int turns = (rowsOfAWarp * words + WARP - 1) / WARP;
  for (int turn = 0; turn < turns; turn += AT_ONCE) {
    Word* place[AT_ONCE];
    Word inPage[AT_ONCE], more[AT_ONCE];
#pragma unroll
    for (int u = 0; u < AT_ONCE; u++) {
      Word* start = fromLane(row, taken);
      place[u] = taken < rowsOfAWarp && start != nullptr ? start + word : nullptr;
      taken += rowsFurther;
      word += wordsFurther;
      if (word >= words) {
        word -= words;
        taken++;
      }
    }
#pragma unroll
    for (int u = 0; u < AT_ONCE; u++) {
      if (place[u] == nullptr) continue;
      if constexpr (ACCESS != Access::ADD_ATOMICALLY) inPage[u] = kept(place[u]);
      if constexpr (ACCESS != Access::COPY) more[u] = kept(value + u * WARP);
    }
#pragma unroll
    for (int u = 0; u < AT_ONCE; u++) {
      if (place[u] == nullptr) continue;
      if constexpr (ACCESS == Access::COPY)
        keep(value + u * WARP, inPage[u]);
      else if constexpr (ACCESS == Access::ADD)
        keep(place[u], sum(inPage[u], factor, more[u]));
      else
        addAtomically(place[u], factor * more[u]);
    }
    value += AT_ONCE * WARP;
  }
}

template <Access ACCESS>
__device__ __forceinline__ void visitRows(
    const PageTable& table, const long long* rows, int count, float* values, float factor,
    int threadsOfARow) {
  bool isAligned = (table.columns & 3) == 0 && (reinterpret_cast<long long>(values) & 15) == 0;
  if (isAligned)
    visit<Four, ACCESS>(
        table, rows, count, reinterpret_cast<Four*>(values), factor, threadsOfARow);
  else
    visit<float, ACCESS>(table, rows, count, values, factor, threadsOfARow);
}

constexpr int GROUP = 1024;

/// Encodes one group of `GROUP` floats, the last of which may be missing.
__device__ __forceinline__ void encodeGroup(
    const float* gradient, float* residual, long long missing, unsigned* bits, float* levels) {
  constexpr int MANY = GROUP / 4 / WARP;
  int lane = threadIdx.x % WARP;
  int length = missing < GROUP ? static_cast<int>(missing) : GROUP;
  Four v[MANY];
#pragma unroll
  for (int u = 0; u < MANY; u++) {
    int at = 4 * (u * WARP + lane);
    if (at + 4 <= length) {
      Four rest = load(reinterpret_cast<const char*>(residual + at));
      v[u] = sum(load(reinterpret_cast<const char*>(gradient + at)), 1, rest);
    } else {
#pragma unroll
      for (int j = 0; j < 4; j++)
        v[u].at[j] = at + j < length ? gradient[at + j] + residual[at + j] : 0;
    }
  }
  float high = 0, low = 0;
  int highs = 0;
#pragma unroll
  for (int u = 0; u < MANY; u++) {
    unsigned nibble = 0;
#pragma unroll
    for (int j = 0; j < 4; j++) {
      bool isHigh = v[u].at[j] >= 0 && 4 * (u * WARP + lane) + j < length;
      high += isHigh ? v[u].at[j] : 0;
      low += isHigh ? 0 : v[u].at[j];
      highs += isHigh;
      nibble |= (isHigh ? 1u : 0u) << j;
    }
    storeNibble(bits, u * WARP + lane, nibble);
  }
  high = warpSum(high);
  low = warpSum(low);
  highs = warpSum(highs);
  high = highs > 0 ? quotient(high, static_cast<float>(highs)) : 0;
  low = highs < length ? quotient(low, static_cast<float>(length - highs)) : 0;
  if (lane == 0) {
    levels[0] = low;
    levels[1] = high;
  }
#pragma unroll
  for (int u = 0; u < MANY; u++) {
    int at = 4 * (u * WARP + lane);
    Four rest;
#pragma unroll
    for (int j = 0; j < 4; j++) rest.at[j] = v[u].at[j] - (v[u].at[j] >= 0 ? high : low);
    if (at + 4 <= length) {
      stream(reinterpret_cast<Four*>(residual + at), rest);
    } else {
      for (int j = 0; at + j < length; j++) residual[at + j] = rest.at[j];
    }
  }
}

}  // namespace

extern "C" {

#define STEP(name, Rule)                                                                       \
  __global__ void __launch_bounds__(THREADS) name(                                             \
      const Run* runs, int count, long long plane, const float* gradients, Numbers k) {        \
    stepRuns<Rule>(runs, count, plane, gradients, k);                                          \
  }

STEP(step_sgd, Sgd)
STEP(step_momentum, Momentum)
STEP(step_nesterov, Nesterov)
STEP(step_adagrad, AdaGrad)
STEP(step_rmsprop, RmsProp)
STEP(step_adam, Adam)
STEP(step_adadelta, AdaDelta)
STEP(step_adarevision, AdaRevision)
STEP(step_proximal_sgd, ProximalSgd)
STEP(step_proximal_adagrad, ProximalAdaGrad)

/// Copies `length` floats of every run, at `offset`, from page to page; grid as for steps.
__global__ void __launch_bounds__(THREADS) copy_runs(const Run* runs, int count) {
  constexpr int MANY = 4;
  int lane = blockIdx.x * blockDim.x + threadIdx.x;
  int lanes = gridDim.x * blockDim.x;
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < count; r += gridDim.y * blockDim.y) {
    Run run = runs[r];
    long long from = reinterpret_cast<long long>(run.from) + run.offset;
    long long to = reinterpret_cast<long long>(run.to) + run.offset;
    int done = ((from | to) & 15) == 0 ? run.length & ~3 : 0;
    for (int i = lane * 4; i < done; i += MANY * lanes * 4) {
      Four value[MANY];
#pragma unroll
      for (int u = 0; u < MANY; u++)
        if (i + u * lanes * 4 < done)
          value[u] = load(run.from + run.offset + 4LL * (i + u * lanes * 4));
#pragma unroll
      for (int u = 0; u < MANY; u++)
        if (i + u * lanes * 4 < done)
          stream(
              reinterpret_cast<Four*>(run.to + run.offset + 4LL * (i + u * lanes * 4)), value[u]);
    }
    for (int i = done + lane; i < run.length; i += lanes)
      stream(
          reinterpret_cast<float*>(run.to + run.offset + 4LL * i),
          loadOne(run.from + run.offset + 4LL * i));
  }
}

/// Sets `length` floats of every run, at `offset` of its page `to`; grid as for steps.
__global__ void __launch_bounds__(THREADS) fill_runs(const Run* runs, int count, float value) {
  int lane = blockIdx.x * blockDim.x + threadIdx.x;
  int lanes = gridDim.x * blockDim.x;
  Four four = {{value, value, value, value}};
  for (int r = blockIdx.y * blockDim.y + threadIdx.y; r < count; r += gridDim.y * blockDim.y) {
    Run run = runs[r];
    int done = (run.offset & 15) == 0 ? run.length & ~3 : 0;
    for (int i = lane * 4; i < done; i += lanes * 4)
      stream(reinterpret_cast<Four*>(run.to + run.offset + 4LL * i), four);
    for (int i = done + lane; i < run.length; i += lanes)
      stream(reinterpret_cast<float*>(run.to + run.offset + 4LL * i), value);
  }
}

/// `out[i] = parameters of row rows[i]`. The grid has at least `threadsOfARow` threads a row, a
/// power of two up to a warp.
__global__ void __launch_bounds__(THREADS) gather_rows(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count,
    float* out, int threadsOfARow) {
  PageTable table = {pages, rowsPerPage, columns};
  visitRows<Access::COPY>(table, rows, count, out, 0, threadsOfARow);
}

/// `parameters of row rows[i] += factor values[i]`; rows differ. Grid as for gather_rows.
__global__ void __launch_bounds__(THREADS) scatter_add_rows(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count,
    const float* values, float factor, int threadsOfARow) {
  PageTable table = {pages, rowsPerPage, columns};
  visitRows<Access::ADD>(table, rows, count, const_cast<float*>(values), factor, threadsOfARow);
}

/// The same for rows of which some may be equal; the order of their additions is not defined. Floats
/// are added one by one.
__global__ void __launch_bounds__(THREADS) scatter_add_equal_rows(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count,
    const float* values, float factor, int threadsOfARow) {
  PageTable table = {pages, rowsPerPage, columns};
  visit<float, Access::ADD_ATOMICALLY>(
      table, rows, count, const_cast<float*>(values), factor, threadsOfARow);
}

/// Rounds values to one bit each and remembers what that loses (Seide et al. 2014, 1-bit SGD).
///
/// `v = gradient + residual`. In groups of 1024 floats, bit i is 1 where `v >= 0`; `levels[2 q]` and
/// `levels[2 q + 1]` are the means of the group's values with bit 0 and bit 1 (0 where there are
/// none, NaN counts as bit 0); the new residual is `v` minus the level of its bit. A warp takes a group.
/// Told of two blocks, the compiler takes more registers, and 0.94 of a copy's rate is reached, not 0.84.
__global__ void __launch_bounds__(THREADS, 2) one_bit_encode(
    const float* gradient, float* residual, long long count, unsigned* bits, float* levels) {
  long long groups = (count + GROUP - 1) / GROUP;
  long long warps = static_cast<long long>(gridDim.x) * blockDim.x / WARP;
  for (long long q = (blockIdx.x * blockDim.x + threadIdx.x) / WARP; q < groups; q += warps)
    encodeGroup(
        gradient + q * GROUP, residual + q * GROUP, count - q * GROUP, bits + q * (GROUP / 32),
        levels + 2 * q);
}

/// `out[i] = level of bit i`, 128 floats a warp.
__global__ void __launch_bounds__(THREADS) one_bit_decode(
    const unsigned* bits, const float* levels, long long count, float* out) {
  long long step = 4LL * gridDim.x * blockDim.x;
  for (long long i = 4LL * (blockIdx.x * blockDim.x + threadIdx.x); i < count; i += step) {
    unsigned nibble = bits[i >> 5] >> (i & 31);
    const float* level = levels + (i >> 10) * 2;
    float low = level[0], high = level[1];
    if (i + 4 <= count) {
      Four four;
#pragma unroll
      for (int j = 0; j < 4; j++) four.at[j] = nibble >> j & 1 ? high : low;
      stream(reinterpret_cast<Four*>(out + i), four);
    } else {
      for (int j = 0; i + j < count; j++) out[i + j] = nibble >> j & 1 ? high : low;
    }
  }
}

}  // extern "C"
