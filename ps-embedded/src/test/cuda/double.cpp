// A double of libcuda.so.1 for machines without a device: the library's calls, as far as Espalier
// makes them, on the memory and the processor of the host.
//
// It runs the kernels of espalier.cu themselves, compiled for the processor, so it shows what they
// compute. Streams are queues that are emptied as late as their events allow (mode 0), or, but for
// the first stream, as early (mode 1), so a wait that is missing gives wrong values in one of the
// modes. Memory is bounded and poisoned, and copies outside of it fail.
//
// It does not show: whether the PTX is what the source says, what a device does when threads run at
// the same time (races, warps, coalescing, alignment beyond 16 bytes), kernels that leave their
// pages, host code that touches device memory, anything about speed.
//
// build-double.sh compiles it.

#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <ctime>
#include <tuple>
#include <utility>

#include "double.h"
// The kernels, which take what they need of a device from double.h.
#include "espalier.cu"
#include "layer.cu"

namespace {

constexpr int INVALID_VALUE = 1, OUT_OF_MEMORY = 2, NO_DEVICE = 100, INVALID_DEVICE = 101;
constexpr int INVALID_IMAGE = 200, INVALID_HANDLE = 400, NOT_FOUND = 500;

std::recursive_mutex lock;
int mode = 0;
size_t limit = 8ull << 30, used = 0;
std::map<uint64_t, size_t> allocations, pinned;

struct Stream {
  std::deque<std::function<void()>> work;
  size_t begun = 0, added = 0;
  bool isFirst;

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
};

Stream* firstStream = nullptr;

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

template <class... A, size_t... I>
std::function<void()> copied(void (*kernel)(A...), void** arguments, std::index_sequence<I...>) {
  std::tuple<A...> copies(*static_cast<A*>(arguments[I])...);
  return [=] { std::apply(kernel, copies); };
}

using Binder = std::function<std::function<void()>(void**)>;

template <class... A>
Binder binder(void (*kernel)(A...)) {
  return [=](void** arguments) { return copied(kernel, arguments, std::index_sequence_for<A...>{}); };
}

#define KERNEL(name) {#name, binder(name)}
std::map<std::string, Binder> kernels = {
    KERNEL(step_sgd),          KERNEL(step_momentum),     KERNEL(step_nesterov),
    KERNEL(step_adagrad),      KERNEL(step_rmsprop),      KERNEL(step_adam),
    KERNEL(step_adadelta),     KERNEL(step_adarevision),  KERNEL(step_proximal_sgd),
    KERNEL(step_proximal_adagrad), KERNEL(copy_runs),     KERNEL(fill_runs),
    KERNEL(gather_rows),       KERNEL(scatter_add_rows),  KERNEL(scatter_add_equal_rows),
    KERNEL(one_bit_encode),    KERNEL(one_bit_decode),    KERNEL(layer_forward),
    KERNEL(layer_gradient),
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

extern "C" {

/// 0: streams run as late as possible; 1: all but the first as early as possible.
void espalier_double_mode(int wanted) {
  GUARD;
  mode = wanted;
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
  *context = &allocations;
  return 0;
}
int cuDevicePrimaryCtxRelease_v2(int) { return 0; }
int cuCtxSetCurrent(void*) { return 0; }
int cuGetErrorName(int error, const char** name) {
  *name = error == 0 ? "CUDA_SUCCESS" : "CUDA_ERROR";
  return 0;
}
int cuModuleLoadDataEx(void** module, const void* image, unsigned, void*, void*) {
  *module = const_cast<void*>(image);
  return strstr(static_cast<const char*>(image), ".version") ? 0 : INVALID_IMAGE;
}
int cuModuleLoadData(void** module, const void* image) {
  return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}
int cuModuleUnload(void*) { return 0; }
int cuModuleGetFunction(void** function, void*, const char* name) {
  auto found = kernels.find(name);
  if (found == kernels.end()) return NOT_FOUND;
  *function = &*found;
  return 0;
}

int cuMemAlloc_v2(uint64_t* address, size_t bytes) {
  GUARD;
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
  GUARD;
  auto found = allocations.find(address);
  if (found == allocations.end()) return INVALID_VALUE;
  used -= found->second;
  allocations.erase(found);
  free(reinterpret_cast<void*>(address));
  return 0;
}
int cuMemGetInfo_v2(size_t* unused, size_t* all) {
  GUARD;
  *unused = limit - used;
  *all = limit;
  return 0;
}
int cuMemHostAlloc(void** address, size_t bytes, unsigned) {
  GUARD;
  *address = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (!*address) return OUT_OF_MEMORY;
  memset(*address, 0xff, bytes);
  pinned[reinterpret_cast<uint64_t>(*address)] = bytes;
  return 0;
}
int cuMemFreeHost(void* address) {
  GUARD;
  if (!pinned.erase(reinterpret_cast<uint64_t>(address))) return INVALID_VALUE;
  free(address);
  return 0;
}

int cuMemcpyHtoDAsync_v2(uint64_t to, const void* from, size_t bytes, void* stream) {
  GUARD;
  if (!holds(allocations, to, bytes)) return INVALID_VALUE;
  if (holds(pinned, reinterpret_cast<uint64_t>(from), bytes))
    return add(streamOf(stream), [=] { memcpy(reinterpret_cast<void*>(to), from, bytes); });
  // Memory that is not pinned is read before the call returns, as the driver may.
  void* copy = malloc(bytes);
  memcpy(copy, from, bytes);
  return add(streamOf(stream), [=] {
    memcpy(reinterpret_cast<void*>(to), copy, bytes);
    free(copy);
  });
}
int cuMemcpyDtoHAsync_v2(void* to, uint64_t from, size_t bytes, void* stream) {
  GUARD;
  if (!holds(allocations, from, bytes)) return INVALID_VALUE;
  return add(streamOf(stream), [=] { memcpy(to, reinterpret_cast<void*>(from), bytes); });
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void* stream) {
  GUARD;
  if (!holds(allocations, to, bytes) || !holds(allocations, from, bytes)) return INVALID_VALUE;
  return add(streamOf(stream), [=] {
    memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes);
  });
}
int cuMemsetD32Async(uint64_t to, unsigned value, size_t count, void* stream) {
  GUARD;
  if (!holds(allocations, to, 4 * count)) return INVALID_VALUE;
  return add(streamOf(stream), [=] {
    for (size_t i = 0; i < count; i++) reinterpret_cast<unsigned*>(to)[i] = value;
  });
}

int cuStreamCreate(void** stream, unsigned) {
  GUARD;
  auto* created = new Stream();
  if (!firstStream) firstStream = created;
  *stream = created;
  return 0;
}
int cuStreamSynchronize(void* stream) {
  GUARD;
  streamOf(stream)->runTo(streamOf(stream)->added);
  return 0;
}
int cuStreamDestroy_v2(void* stream) {
  GUARD;
  cuStreamSynchronize(stream);
  if (firstStream == stream) firstStream = nullptr;
  return 0;  // events may still name it
}
int cuEventCreate(void** event, unsigned) {
  *event = new Event();
  return 0;
}
int cuEventDestroy_v2(void* event) {
  return 0;  // a stream may still wait for it
}
int cuEventRecord(void* handle, void* stream) {
  GUARD;
  auto* event = static_cast<Event*>(handle);
  event->stream = streamOf(stream);
  add(event->stream, [=] { event->seconds = now(); });
  event->end = event->stream->added;
  return 0;
}
int cuStreamWaitEvent(void* stream, void* handle, unsigned) {
  GUARD;
  Event moment = *static_cast<Event*>(handle);
  if (!moment.stream) return 0;
  return add(streamOf(stream), [=] { moment.stream->runTo(moment.end); });
}
int cuEventSynchronize(void* handle) {
  GUARD;
  auto* event = static_cast<Event*>(handle);
  if (event->stream) event->stream->runTo(event->end);
  return 0;
}
int cuEventElapsedTime(float* millis, void* start, void* end) {
  *millis = 1e3 * (static_cast<Event*>(end)->seconds - static_cast<Event*>(start)->seconds);
  return 0;
}

int cuLaunchKernel(
    void* function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned threadsX,
    unsigned threadsY, unsigned threadsZ, unsigned, void* stream, void** arguments, void**) {
  GUARD;
  if (gridX == 0 || gridY == 0 || gridY > 65535 || gridZ != 1 || threadsZ != 1 ||
      threadsX * threadsY == 0 || threadsX * threadsY > 256)
    return INVALID_VALUE;
  auto call = static_cast<std::pair<const std::string, Binder>*>(function)->second(arguments);
  return add(streamOf(stream), [=] {
    gridDim = {gridX, gridY};
    blockDim = {threadsX, threadsY};
    for (blockIdx.y = 0; blockIdx.y < gridY; blockIdx.y++)
      for (blockIdx.x = 0; blockIdx.x < gridX; blockIdx.x++)
        for (threadIdx.y = 0; threadIdx.y < threadsY; threadIdx.y++)
          for (threadIdx.x = 0; threadIdx.x < threadsX; threadIdx.x++) call();
  });
}

}  // extern "C"
