// Just enough of CUDA to run auction.cu on a CPU, thread by thread: barriers, warps and blocks behave, speed does not.
// Threads are fibers; after every wait the next one is drawn at random, so that a missing barrier shows as a difference.
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

using std::max;
using std::min;
struct float4 { float x, y, z, w; };
struct index3 { int x; };
static inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
static inline unsigned __float_as_uint(float v) { unsigned b; memcpy(&b, &v, 4); return b; }
static inline float __uint_as_float(unsigned b) { float v; memcpy(&v, &b, 4); return v; }
static inline float __fsqrt_rn(float v) { return std::sqrt(v); }
static inline int atomicAdd(int* p, int v) { *p += v; return *p - v; }
static inline void atomicMax(unsigned long long* p, unsigned long long v) { *p = std::max(*p, v); }
static inline int __clz(unsigned v) { return v ? __builtin_clz(v) : 32; }
static inline int __popc(unsigned v) { return __builtin_popcount(v); }
#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__

namespace cpu {
struct Barrier { int arrived = 0, round = 0; };
struct Fiber { ucontext_t context; std::vector<char> stack; index3 index; bool done; };
struct Warp { Barrier barrier; uint64_t values[32]; };
static std::vector<Fiber> fibers;
static std::vector<Warp> warps;
static Barrier block;
static Fiber* current;
static ucontext_t scheduler;
static bool progress;

static void wait(Barrier& barrier, int of) {
  const int round = barrier.round;
  progress = true;
  if (++barrier.arrived == of) { barrier.arrived = 0; barrier.round++; }
  while (barrier.round == round) swapcontext(&current->context, &scheduler);
}
template <class T> static T exchange(T mine, int from, uint64_t* all = nullptr) {
  Warp& warp = warps[current->index.x / 32];
  memcpy(&warp.values[current->index.x % 32], &mine, sizeof mine);
  wait(warp.barrier, 32);
  T theirs;
  memcpy(&theirs, &warp.values[from & 31], sizeof theirs);
  if (all) memcpy(all, warp.values, sizeof warp.values);
  wait(warp.barrier, 32);
  return theirs;
}
}  // namespace cpu

static index3 blockIdx, blockDim;
#define threadIdx (cpu::current->index)
static void __syncthreads() { cpu::wait(cpu::block, (int)cpu::fibers.size()); }
template <class T> static T __shfl_xor_sync(unsigned, T v, int d) { return cpu::exchange(v, (threadIdx.x % 32) ^ d); }
template <class T> static T __shfl_sync(unsigned, T v, int lane) { return cpu::exchange(v, lane); }
static unsigned __reduce_min_sync(unsigned, unsigned v) {
  uint64_t all[32];
  cpu::exchange((uint64_t)v, 0, all);
  return (unsigned)*std::min_element(all, all + 32);
}
static unsigned __ballot_sync(unsigned, bool v) {
  uint64_t all[32];
  cpu::exchange((uint64_t)v, 0, all);
  unsigned mask = 0;
  for (int k = 0; k < 32; k++) mask |= (unsigned)all[k] << k;
  return mask;
}

static float4 memory[8192];  // what a launch would give as dynamic shared memory
static void kernel();        // the call, made by every thread
static void enter() { kernel(); cpu::current->done = true; swapcontext(&cpu::current->context, &cpu::scheduler); }

// Return whether the block ended; if not, some threads wait for others that never come.
static bool run_block(int threads, unsigned seed) {
  blockDim.x = threads;
  cpu::fibers.assign(threads, {});
  cpu::warps.assign(threads / 32, {});
  cpu::block = {};
  for (int t = 0; t < threads; t++) {
    cpu::Fiber& fiber = cpu::fibers[t];
    fiber.stack.resize(32768);
    fiber.index.x = t;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    makecontext(&fiber.context, enter, 0);
  }
  for (;;) {
    int done = 0;
    cpu::progress = false;
    seed = seed * 1664525u + 1013904223u;
    const int first = (seed >> 8) % threads, step = (seed >> 28) & 1 ? 1 : threads - 1;
    for (int k = 0, t = first; k < threads; k++, t = (t + step) % threads) {
      cpu::current = &cpu::fibers[t];
      if (cpu::current->done) { done++; continue; }
      swapcontext(&cpu::scheduler, &cpu::current->context);
      cpu::progress |= cpu::current->done;
    }
    if (done == threads) return true;
    if (!cpu::progress) return false;
  }
}
