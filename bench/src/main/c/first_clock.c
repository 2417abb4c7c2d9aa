/* What the first dense clock after a fork can cost at best: the loop of a step by `sgd`, w = w - lr g, once in
 * place, once from one array to another with ordinary stores and with stores past the caches, and once over the
 * gradient, as if its memory then became the page. All four read w and g and write w; x86-64 with AVX-512, one
 * thread, medians of 15 rounds in turn.
 *
 *   gcc -O2 -mavx512f -o first_clock bench/src/main/c/first_clock.c
 *   ./first_clock          pages of 4 KiB
 *   ./first_clock large    of 2 MiB, where the system gives them on request (madvise)
 */
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { ROUNDS = 15, LANES = 16, WAYS = 4 };
static const size_t COUNT = (size_t)128 << 20;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec * 1e-9;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static float *floats(int isLarge) {
  /* Arrays a power of two apart would meet in the same banks of memory. */
  size_t bytes = COUNT * sizeof(float) + (1 << 20);
  float *array = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (array == MAP_FAILED || (isLarge && madvise(array, bytes, MADV_HUGEPAGE) != 0)) {
    perror("memory");
    exit(1);
  }
  memset(array, 0, bytes);
  return array;
}

static __m512 stepped(const float *w, const float *g) {
  return _mm512_sub_ps(_mm512_load_ps(w), _mm512_mul_ps(_mm512_set1_ps(0.1f), _mm512_load_ps(g)));
}

int main(int count, char **arguments) {
  int isLarge = count > 1 && strcmp(arguments[1], "large") == 0;
  float *w = floats(isLarge), *g = floats(isLarge), *fresh = floats(isLarge);
  double taken[WAYS][ROUNDS];
  for (int round = 0; round < ROUNDS; round++) {
    double start = seconds();
    for (size_t i = 0; i < COUNT; i += LANES) _mm512_store_ps(w + i, stepped(w + i, g + i));
    taken[0][round] = seconds() - start;
    start = seconds();
    for (size_t i = 0; i < COUNT; i += LANES) _mm512_store_ps(fresh + i, stepped(w + i, g + i));
    taken[1][round] = seconds() - start;
    start = seconds();
    for (size_t i = 0; i < COUNT; i += LANES) _mm512_stream_ps(fresh + i, stepped(w + i, g + i));
    _mm_sfence();
    taken[2][round] = seconds() - start;
    start = seconds();
    for (size_t i = 0; i < COUNT; i += LANES) _mm512_store_ps(g + i, stepped(w + i, g + i));
    taken[3][round] = seconds() - start;
  }
  for (int way = 0; way < WAYS; way++) qsort(taken[way], ROUNDS, sizeof(double), ascending);
  double inPlace = taken[0][ROUNDS / 2];
  printf("in place %.1f ms a GiB, %.1f GB/s; elsewhere with ordinary stores x %.2f, past the caches x %.2f, over the gradient x %.2f\n",
         inPlace * 1e3 * (1 << 30) / (COUNT * sizeof(float)), 3.0 * COUNT * sizeof(float) / inPlace / 1e9,
         taken[1][ROUNDS / 2] / inPlace, taken[2][ROUNDS / 2] / inPlace, taken[3][ROUNDS / 2] / inPlace);
  return 0;
}
