// A double of libcuda.so.1 for machines without a device: the library's calls, as far as Espalier
// makes them, on the memory and the processor of the host.
//
// It runs the kernels of espalier.cu themselves, compiled for the processor, so it shows what they
// compute. Streams are queues that are emptied as late as their events allow (mode 0), or, but for
// the first stream, as early (mode 1), or, at every call, some of them by some steps that a seed
// chooses (mode 2), so a wait that is missing gives wrong values in one of the modes. Memory is
// bounded and poisoned, and copies outside of it fail. Every call needs a context of its thread that
// somebody holds. What runs and page tables name must be memory of the device or pinned; where it is
// not, the kernel fails, and every call after it, as on a device. Calls can be made to fail, too.
//
// Lanes of a warp wait for each other where they exchange values, else threads run one after the other.
//
// It does not show: whether the PTX is what the source says, what a device does when threads run at
// the same time (races, coalescing, alignment beyond 16 bytes), kernels that leave their
// pages by their own arithmetic, host code that touches device memory, anything about speed but what
// waits for what: times by a pace are those of streams and events, with kernels and copies of a given
// speed and a host that takes none.
//
// build-double.sh compiles it.

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <ctime>
#include <tuple>
#include <utility>
#include <vector>

#include "double.h"
// The kernels, which take what they need of a device from double.h.
#include "espalier.cu"
#include "layer.cu"

namespace {

constexpr int INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101;
constexpr int INVALID_IMAGE = 200, INVALID_CONTEXT = 201, INVALID_HANDLE = 400, NOT_FOUND = 500;
constexpr int ILLEGAL_ADDRESS = 700, LAUNCH_FAILED = 719;

std::recursive_mutex lock;
int mode = 0;
std::mt19937 chance;
size_t limit = 8ull << 30, used = 0;
std::map<uint64_t, size_t> allocations, pinned;
std::set<void*> living;  // streams, events and modules
int held = 0;            // how often the context was retained
thread_local void* current = nullptr;

/// What calls answer from now on, when it is not 0: a device that failed stays so.
int sticky = 0;

/// The call that is to fail, in how many calls of it (-1: in each), and with what.
struct Failure {
  std::string call;
  long in = 0;
  int error = 0;
} failure;

bool isToFail(const char* call) {
  return failure.call == call && failure.in != 0 && (failure.in < 0 || --failure.in == 0);
}

struct Stream {
  std::deque<std::function<void()>> work;
  size_t begun = 0, added = 0;
  double time = 0;  // when what was added so far is done, by the pace

  void runTo(size_t end) {
    while (begun < end) {
      auto next = std::move(work.front());
      work.pop_front();
      begun++;
      next();
    }
  }
};

struct Event {
  Stream* stream = nullptr;
  size_t end = 0;
  double seconds = 0;
  double time = 0;  // by the pace
};

Stream* firstStream = nullptr;
std::vector<Stream*> streams;

/// How fast a device of the mind is, where somebody has said so; the host takes it no time.
struct Pace {
  double bytesPerSecond = 0;    // of each of the two copy engines
  double secondsOfLaunch = 0;   // of each kernel
  double in = 0, out = 0;       // when the engines are free

  bool isSet() const { return bytesPerSecond > 0; }

  /// Small copies among kernels do not wait for the engine, which goes from one copy to the next.
  void copies(Stream* stream, double& engine, size_t bytes) const {
    if (!isSet() || stream == firstStream) return;
    stream->time = engine = std::max(stream->time, engine) + bytes / bytesPerSecond;
  }
} pace;

/// Lets some streams work a little.
void advance() {
  if (mode != 2) return;
  for (Stream* stream : streams)
    if (chance() % 3 == 0) stream->runTo(std::min(stream->added, stream->begun + chance() % 4));
}

/// What a call answers before it does anything; 0 to go on.
int refusal(const char* call) {
  if (sticky) return sticky;
  if (!current || held < 1) return INVALID_CONTEXT;
  advance();
  if (sticky) return sticky;
  return isToFail(call) ? failure.error : 0;
}

int add(Stream* stream, std::function<void()> work) {
  stream->work.push_back(std::move(work));
  stream->added++;
  if (mode == 1 && stream != firstStream) stream->runTo(stream->added);
  return 0;
}

bool holds(const std::map<uint64_t, size_t>& blocks, uint64_t address, size_t bytes) {
  auto next = blocks.upper_bound(address);
  if (next == blocks.begin()) return false;
  --next;
  return address + bytes <= next->first + next->second;
}

bool isReachable(const void* address, size_t bytes) {
  auto place = reinterpret_cast<uint64_t>(address);
  return holds(allocations, place, bytes) || holds(pinned, place, bytes);
}

void require(const void* address, size_t bytes) {
  if (bytes > 0 && !isReachable(address, bytes)) sticky = ILLEGAL_ADDRESS;
}

/// What a kernel would touch: by its runs, or by its page table.
void touchRuns(const Run* runs, int count, int planes, long long plane, bool reads) {
  require(runs, sizeof(Run) * count);
  for (int i = 0; i < count; i++)
    for (int q = 0; q < planes && !sticky; q++) {
      // A run of a buffer names an address before it.
      long long at = runs[i].offset + q * plane, bytes = 4ll * runs[i].length;
      if (reads) require(runs[i].from + at, bytes);
      require(runs[i].to + at, bytes);
      if (runs[i].seen) require(runs[i].seen + at, bytes);
    }
}

void touchRows(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count) {
  require(rows, 8ll * count);
  for (int i = 0; i < count && !sticky; i++) {
    const char* const* entry = pages + rows[i] / rowsPerPage;
    require(entry, sizeof *entry);
    if (!sticky) require(*entry, 4ll * columns * (rows[i] % rowsPerPage + 1));
  }
}

template <class Rule>
void checkStep(const Run* runs, int count, long long plane, const float* gradients, Numbers) {
  touchRuns(runs, count, Rule::PLANES, plane, true);
  for (int i = 0; i < count && !sticky; i++)
    require(gradients + runs[i].gradientIndex, 4ll * runs[i].length);
}
void checkCopy(const Run* runs, int count) { touchRuns(runs, count, 1, 0, true); }
void checkFill(const Run* runs, int count, float) { touchRuns(runs, count, 1, 0, false); }
void checkGather(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count,
    float* out, int) {
  touchRows(pages, rowsPerPage, columns, rows, count);
  require(out, 4ll * count * columns);
}
void checkScatter(
    const char* const* pages, int rowsPerPage, int columns, const long long* rows, int count,
    const float* values, float, int) {
  touchRows(pages, rowsPerPage, columns, rows, count);
  require(values, 4ll * count * columns);
}
void checkEncode(
    const float* gradient, float* residual, long long count, unsigned* bits, float* levels) {
  long long groups = (count + GROUP - 1) / GROUP;
  require(gradient, 4 * count);
  require(residual, 4 * count);
  require(bits, groups * (GROUP / 8));
  require(levels, 8 * groups);
}
void checkDecode(const unsigned* bits, const float* levels, long long count, float* out) {
  require(bits, (count + 31) / 32 * 4);
  require(levels, (count + GROUP - 1) / GROUP * 8);
  require(out, 4 * count);
}
void checkForward(
    const char* const* pages, int rowsPerPage, int columns, int rows, const float* x, int batch,
    float* y) {
  int count = (rows + rowsPerPage - 1) / rowsPerPage;
  require(pages, sizeof *pages * count);
  for (int i = 0; i < count && !sticky; i++) require(pages[i], 4ll * columns);
  require(x, 4ll * batch * columns);
  require(y, 4ll * batch * rows);
}
void checkGradient(
    int columns, int rows, const float* x, const float* y, int batch, float* g) {
  require(x, 4ll * batch * columns);
  require(y, 4ll * batch * rows);
  require(g, 4ll * rows * columns);
}

void checkBare(Numbers4* table, int bits, int words, long long, int, float*) {
  require(table, (16ll * words) << bits);
}

template <class... A, size_t... I>
std::function<void()> copied(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  std::tuple<A...> copies(*static_cast<A*>(arguments[I])...);
  return [=] { std::apply(kernel, copies); };
}

/// A launch: what is checked once, then what each thread does, and whether the lanes of a warp exchange
/// values.
struct Call {
  std::function<void()> check, thread;
  bool hasWarps;
};

using Binder = std::function<Call(void**)>;

template <class... A>
Binder binder(void (*kernel)(A...), void (*check)(A...), bool hasWarps) {
  return [=](void** arguments) -> Call {
    auto all = std::index_sequence_for<A...>{};
    return {copied(check, arguments, all), copied(kernel, arguments, all), hasWarps};
  };
}

Warp warp;

#define KERNEL(name, check) {#name, binder(name, check, false)}
#define WARPS(name, check) {#name, binder(name, check, true)}
#define STEPS(name, Rule) KERNEL(name, checkStep<Rule>)
std::map<std::string, Binder> kernels = {
    STEPS(step_sgd, Sgd),
    STEPS(step_momentum, Momentum),
    STEPS(step_nesterov, Nesterov),
    STEPS(step_adagrad, AdaGrad),
    STEPS(step_rmsprop, RmsProp),
    STEPS(step_adam, Adam),
    STEPS(step_adadelta, AdaDelta),
    STEPS(step_adarevision, AdaRevision),
    STEPS(step_proximal_sgd, ProximalSgd),
    STEPS(step_proximal_adagrad, ProximalAdaGrad),
    KERNEL(copy_runs, checkCopy),
    KERNEL(fill_runs, checkFill),
    WARPS(gather_rows, checkGather),
    WARPS(scatter_add_rows, checkScatter),
    WARPS(scatter_add_equal_rows, checkScatter),
    WARPS(one_bit_encode, checkEncode),
    KERNEL(one_bit_decode, checkDecode),
    KERNEL(layer_forward, checkForward),
    KERNEL(layer_gradient, checkGradient),
    KERNEL(bare_rows, checkBare),
};

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

int setting(const char* name, int otherwise) {
  const char* value = getenv(name);
  return value ? atoi(value) : otherwise;
}

Stream* streamOf(void* handle) { return static_cast<Stream*>(handle); }

}  // namespace

#define GUARD std::lock_guard<std::recursive_mutex> guard(lock)

/// Begins a call that needs a context, and may be made to fail.
#define CALL(name)                            \
  GUARD;                                      \
  if (int refused = refusal(name)) return refused

extern "C" {

/// 0: streams run as late as possible; 1: all but the first as early as possible; 2: as the seed says.
void espalier_double_mode(int wanted, unsigned seed) {
  GUARD;
  mode = wanted;
  chance.seed(seed);
}

/// Lets the n-th call from now of a name fail; with n 0, none, with -1, each. Ends the failures before.
void espalier_double_fail(const char* call, long n, int error) {
  GUARD;
  failure = {call, n, error};
  sticky = 0;
}

/// Lets every call fail from now on; with 0, none.
void espalier_double_stick(int error) {
  GUARD;
  sticky = error;
}

/// Blocks of memory, streams, events, modules and holds of the context that were not given back.
size_t espalier_double_living() {
  GUARD;
  return allocations.size() + pinned.size() + living.size() + held;
}

/// From now on, times between events are those that a device of such a pace would take: two engines
/// that copy in and out, and kernels that take so long each; with 0, those of the processor.
void espalier_double_pace(double bytesPerSecond, double secondsOfLaunch) {
  GUARD;
  pace = {bytesPerSecond, secondsOfLaunch};
  for (Stream* stream : streams) stream->time = 0;
}

/// Bytes of device memory in use.
size_t espalier_double_used() {
  GUARD;
  return used;
}

int cuInit(unsigned) { return setting("ESPALIER_DOUBLE_INIT", 0); }
int cuDriverGetVersion(int* version) {
  *version = setting("ESPALIER_DOUBLE_VERSION", 13000);
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}
int cuDeviceGet(int* device, int index) {
  *device = index;
  return index == 0 ? 0 : INVALID_DEVICE;
}
int cuDeviceGetName(char* name, int length, int) {
  strncpy(name, "double of a device", length);
  return 0;
}
int cuDeviceTotalMem_v2(size_t* bytes, int) {
  *bytes = limit;
  return 0;
}
int cuDeviceGetAttribute(int* value, int attribute, int) {
  *value = attribute == 75 ? 9 : attribute == 16 ? 1 : 0;
  return 0;
}
int cuDevicePrimaryCtxRetain(void** context, int) {
  GUARD;
  if (isToFail("cuDevicePrimaryCtxRetain")) return failure.error;
  *context = &allocations;
  held++;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  GUARD;
  if (held < 1) return INVALID_CONTEXT;
  held--;
  return 0;
}
int cuCtxSetCurrent(void* context) {
  if (context != &allocations) return INVALID_CONTEXT;
  current = context;
  return 0;
}
int cuGetErrorName(int error, const char** name) {
  *name = error == 0 ? "CUDA_SUCCESS" : "CUDA_ERROR";
  return 0;
}
int cuModuleLoadDataEx(void** module, const void* image, unsigned, void*, void*) {
  CALL("cuModuleLoadData");
  if (!strstr(static_cast<const char*>(image), ".version")) return INVALID_IMAGE;
  *module = new char;
  living.insert(*module);
  return 0;
}
int cuModuleLoadData(void** module, const void* image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}
int cuModuleUnload(void* module) {
  CALL("cuModuleUnload");
  return living.erase(module) ? 0 : INVALID_HANDLE;
}
int cuModuleGetFunction(void** function, void*, const char* name) {
  CALL("cuModuleGetFunction");
  auto found = kernels.find(name);
  if (found == kernels.end()) return NOT_FOUND;
  *function = &*found;
  return 0;
}

int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  CALL("cuMemAlloc");
  if (bytes == 0) return INVALID_VALUE;
  if (used + bytes > limit) return OUT_OF_MEMORY;
  void* block = aligned_alloc(256, (bytes + 255) / 256 * 256);
  if (!block) return OUT_OF_MEMORY;
  memset(block, 0xff, bytes);
  *address = reinterpret_cast<uint64_t>(block);
  allocations[*address] = bytes;
  used += bytes;
  return 0;
}
int cuMemFree_v2(uint64_t address) {
  CALL("cuMemFree");
  auto found = allocations.find(address);
  if (found == allocations.end()) return INVALID_VALUE;
  used -= found->second;
  allocations.erase(found);
  free(reinterpret_cast<void*>(address));
  return 0;
}
int cuMemGetInfo_v2(size_t* unused, size_t* all) {
  CALL("cuMemGetInfo");
  *unused = limit - used;
  *all = limit;
  return 0;
}
int cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  CALL("cuMemHostAlloc");
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!*address) return OUT_OF_MEMORY;
  memset(*address, 0xff, bytes);
  pinned[reinterpret_cast<uint64_t>(*address)] = bytes;
  return 0;
}
int cuMemFreeHost(void* address) {
  CALL("cuMemFreeHost");
  if (!pinned.erase(reinterpret_cast<uint64_t>(address))) return INVALID_VALUE;
  free(address);
  return 0;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
  CALL("cuMemcpyHtoD");
  if (!holds(allocations, to, bytes)) return INVALID_VALUE;
  auto place = reinterpret_cast<uint64_t>(from);
  pace.copies(streamOf(stream), pace.in, bytes);
  if (holds(pinned, place, bytes))
    return add(streamOf(stream), [=] {
      if (holds(allocations, to, bytes) && holds(pinned, place, bytes))
        memcpy(reinterpret_cast<void*>(to), from, bytes);
      else
        sticky = ILLEGAL_ADDRESS;
    });
  // Memory that is not pinned is read before the call returns, as the driver may.
  void* copy = malloc(bytes);
  memcpy(copy, from, bytes);
  return add(streamOf(stream), [=] {
    if (holds(allocations, to, bytes))
      memcpy(reinterpret_cast<void*>(to), copy, bytes);
    else
      sticky = ILLEGAL_ADDRESS;
    free(copy);
  });
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
  CALL("cuMemcpyDtoH");
  if (!holds(allocations, from, bytes)) return INVALID_VALUE;
  auto place = reinterpret_cast<uint64_t>(to);
  bool isPinned = holds(pinned, place, bytes);
  pace.copies(streamOf(stream), pace.out, bytes);
  add(streamOf(stream), [=] {
    if (holds(allocations, from, bytes) && (!isPinned || holds(pinned, place, bytes)))
      memcpy(to, reinterpret_cast<void*>(from), bytes);
    else
      sticky = ILLEGAL_ADDRESS;
  });
  // Memory that is not pinned is written before the call returns.
  if (!isPinned) streamOf(stream)->runTo(streamOf(stream)->added);
  return 0;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
  CALL("cuMemcpyDtoD");
  if (!holds(allocations, to, bytes) || !holds(allocations, from, bytes)) return INVALID_VALUE;
  return add(streamOf(stream), [=] {
    if (holds(allocations, to, bytes) && holds(allocations, from, bytes))
      memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
    else
      sticky = ILLEGAL_ADDRESS;
  });
}
int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream) {
  CALL("cuMemsetD32");
  if (!holds(allocations, to, 4 * count)) return INVALID_VALUE;
  return add(streamOf(stream), [=] {
    if (holds(allocations, to, 4 * count))
      for (size_t i = 0; i < count; i++) reinterpret_cast<unsigned*>(to)[i] = value;
    else
      sticky = ILLEGAL_ADDRESS;
  });
}

int cuStreamCreate(void** stream, unsigned) {
  CALL("cuStreamCreate");
  auto* created = new Stream();
  if (!firstStream) firstStream = created;
  streams.push_back(created);
  living.insert(created);
  *stream = created;
  return 0;
}
int cuStreamSynchronize(void* stream) {
  CALL("cuStreamSynchronize");
  streamOf(stream)->runTo(streamOf(stream)->added);
  return sticky;
}
int cuStreamDestroy_v2(void* stream) {
  CALL("cuStreamDestroy");
  streamOf(stream)->runTo(streamOf(stream)->added);
  if (firstStream == stream) firstStream = nullptr;
  std::erase(streams, streamOf(stream));
  return living.erase(stream) ? sticky : INVALID_HANDLE;  // events may still name it
}
int cuEventCreate(void** event, unsigned) {
  CALL("cuEventCreate");
  *event = new Event();
  living.insert(*event);
  return 0;
}
int cuEventDestroy_v2(void* event) {
  CALL("cuEventDestroy");
  return living.erase(event) ? 0 : INVALID_HANDLE;  // a stream may still wait for it
}
int cuEventRecord(void* handle, void* stream) {
  CALL("cuEventRecord");
  auto* event = static_cast<Event*>(handle);
  event->stream = streamOf(stream);
  add(event->stream, [=] { event->seconds = now(); });
  event->end = event->stream->added;
  event->time = event->stream->time;
  return 0;
}
int cuStreamWaitEvent(void* stream, void* handle, unsigned) {
  CALL("cuStreamWaitEvent");
  Event moment = *static_cast<Event*>(handle);
  if (!moment.stream) return 0;
  streamOf(stream)->time = std::max(streamOf(stream)->time, moment.time);
  return add(streamOf(stream), [=] { moment.stream->runTo(moment.end); });
}
int cuEventSynchronize(void* handle) {
  CALL("cuEventSynchronize");
  auto* event = static_cast<Event*>(handle);
  if (event->stream) event->stream->runTo(event->end);
  return sticky;
}
int cuEventElapsedTime(float* millis, void* start, void* end) {
  CALL("cuEventElapsedTime");
  auto *from = static_cast<Event*>(start), *to = static_cast<Event*>(end);
  *millis = 1e3 * (pace.isSet() ? to->time - from->time : to->seconds - from->seconds);
  return 0;
}

int cuLaunchKernel(
    void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned threadsX,
    unsigned threadsY, unsigned threadsZ, unsigned, void* stream, void** arguments, void**) {
  CALL("cuLaunchKernel");
  if (gridX == 0 || gridY == 0 || gridY > 65535 || gridZ != 1 || threadsZ != 1 ||
      threadsX * threadsY == 0 || threadsX * threadsY > 256)
    return INVALID_VALUE;
  auto call = static_cast<std::pair<const std::string, Binder>*>(function)->second(arguments);
  if (call.hasWarps && (threadsX % WARP != 0 || threadsY != 1)) return INVALID_VALUE;
  if (pace.isSet()) streamOf(stream)->time += pace.secondsOfLaunch;
  return add(streamOf(stream), [=] {
    call.check();
    if (sticky) return;
    gridDim = {gridX, gridY};
    blockDim = {threadsX, threadsY};
    for (blockIdx.y = 0; blockIdx.y < gridY; blockIdx.y++)
      for (blockIdx.x = 0; blockIdx.x < gridX; blockIdx.x++)
        for (threadIdx.y = 0; threadIdx.y < threadsY; threadIdx.y++)
          if (call.hasWarps)
            for (unsigned first = 0; first < threadsX && !sticky; first += WARP) {
              if (!warp.run(call.thread, first)) sticky = LAUNCH_FAILED;
            }
          else
            for (threadIdx.x = 0; threadIdx.x < threadsX; threadIdx.x++) call.thread();
  });
}

}  // extern "C"
