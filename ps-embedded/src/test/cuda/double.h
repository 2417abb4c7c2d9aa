// What `device.h` gives kernels on a device, for a processor: one thread after the other, but where
// lanes of a warp exchange values, they wait for each other.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define WARP 32

struct Index {
  unsigned x, y;
};

inline Index gridDim, blockDim, blockIdx, threadIdx;

template <class Word>
inline Word streamed(const Word* address) {
  return *address;
}

template <class Word>
inline Word kept(const Word* address) {
  return *address;
}

template <class Word>
inline void stream(Word* address, const Word& value) {
  *address = value;
}

template <class Word>
inline void keep(Word* address, const Word& value) {
  *address = value;
}

inline float quotient(float x, float y) { return x / y; }

inline float root(float x) { return std::sqrt(x); }

inline float magnitude(float x) { return std::fabs(x); }

inline bool isNegative(float x) { return std::signbit(x); }

inline void addAtomically(float* address, float value) { *address += value; }

/// The threads of a warp, each with a stack of its own, of which one runs at a time. A stack is entered
/// once, by way of a context of the system; from then on jumps change stacks, which ask nothing of the
/// system.
class Warp {
 public:
  /// Runs a thread of all lanes from `first` on. Returns whether all lanes took part in every exchange.
  bool run(const std::function<void()>& thread, unsigned first) {
    work = &thread;
    running = this;
    for (lane = 0; lane < WARP; lane++) {
      exchanges[lane] = 0;
      hasEnded[lane] = false;
    }
    for (int ended = 0; ended == 0;) {
      for (lane = 0; lane < WARP; lane++) {
        threadIdx.x = first + lane;
        resume();
        ended += hasEnded[lane];
      }
      // Lanes that wait for one that is gone would wait forever on a device, or read anything.
      if (ended != 0 && ended != WARP) {
        for (bool& entered : isEntered) entered = false;
        return false;
      }
    }
    return true;
  }

  /// What another lane gives, once all have given something.
  uint64_t exchange(uint64_t given, int other) {
    // Two boards, since lanes that come first give their next value before others have read this one.
    uint64_t* board = boards[exchanges[lane]++ % 2];
    board[lane] = given;
    pause();
    return board[other % WARP];
  }

  static inline Warp* running;

 private:
  /// Goes on with the lane whose turn it is, until it pauses.
  void resume() {
    if (_setjmp(scheduler) != 0) return;
    if (isEntered[lane]) _longjmp(lanes[lane], 1);
    isEntered[lane] = true;
    ucontext_t entry;
    getcontext(&entry);
    entry.uc_stack = {stacks[lane], 0, sizeof stacks[lane]};
    entry.uc_link = nullptr;
    makecontext(&entry, &Warp::begin, 0);
    setcontext(&entry);
  }

  /// Lets the other lanes go on.
  void pause() {
    if (_setjmp(lanes[lane]) == 0) _longjmp(scheduler, 1);
  }

  static void begin() {
    for (;;) {
      (*running->work)();
      running->hasEnded[running->lane] = true;
      running->pause();
    }
  }

  const std::function<void()>* work;
  int lane, exchanges[WARP];
  bool hasEnded[WARP], isEntered[WARP] = {};
  uint64_t boards[2][WARP];
  jmp_buf scheduler, lanes[WARP];
  alignas(64) char stacks[WARP][64 << 10];
};

template <class T>
inline T ofLane(T value, int lane) {
  uint64_t bits = 0;
  memcpy(&bits, &value, sizeof value);
  bits = Warp::running->exchange(bits, lane);
  memcpy(&value, &bits, sizeof value);
  return value;
}

template <class T>
inline T* fromLane(T* address, int lane) {
  return ofLane(address, lane);
}

template <class T>
inline T warpSum(T value) {
  int lane = threadIdx.x % WARP;
  for (int distance = WARP / 2; distance > 0; distance /= 2) value += ofLane(value, lane ^ distance);
  return value;
}

inline void storeNibble(unsigned* bits, long long index, unsigned nibble) {
  int lane = threadIdx.x % WARP;
  unsigned word = nibble << (4 * (index & 7));
  for (int distance = 4; distance > 0; distance /= 2) word |= ofLane(word, lane ^ distance);
  if ((index & 7) == 0) bits[index >> 3] = word;
}
