// Bijections of least total distance by auction: rows (the points of x) bid for columns (the points of y).
//
// One block matches one pair of clouds, with everything in shared memory and all phases in one launch. Each phase divides
// eps by five and keeps the prices. In a round, up to one row per warp bids at the prices of the last round; with fewer rows
// left, several warps search for one bid. The first warp then decides for all: the highest bid for a column wins (the first
// in the queue on ties), and losers and evicted rows queue again, in that order. Nothing depends on the timing of threads,
// so that the result is the same in every run.
//
// Values that are compared (distance + price) are >= 0, so that their bits order like integers.
//
// The second kernel is the auction of MSN and PointCMT: every free row bids in every round, and eps stays as it is.

#define INFINITE 0x7f800000u
#define NONE 0xffffffffu
#define ALL 0xffffffffu
#define MAX_WARPS 32

typedef unsigned int bits_t;

struct Offer {  // the least value, the next one, and the column of the least: the lowest on ties
  bits_t least, next, column;
};

// sqrt.approx is off by one or two bits, a tenth of what the last eps distinguishes, and costs a tenth of sqrt
__device__ __forceinline__ float root(float v) {
#ifdef __CUDA_ARCH__
  float r;
  asm("sqrt.approx.ftz.f32 %0, %1;" : "=f"(r) : "f"(v));
  return r;
#else
  return sqrtf(v);
#endif
}

template <bool EXACT>  // EXACT: the same bits as on the CPU
__device__ __forceinline__ float distance(float ax, float ay, float az, float4 b) {
  const float dx = b.x - ax, dy = b.y - ay, dz = b.z - az;
  return EXACT ? __fsqrt_rn(dx * dx + dy * dy + dz * dz) : root(fmaf(dz, dz, fmaf(dy, dy, dx * dx)));
}

__device__ __forceinline__ bits_t warp_min(bits_t v) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  return __reduce_min_sync(ALL, v);
#else
  for (int d = 16; d; d >>= 1) v = min(v, __shfl_xor_sync(ALL, v, d));
  return v;
#endif
}

__device__ __forceinline__ Offer warp_best(float least, float next, int column) {
  const bits_t own = __float_as_uint(least);
  Offer best;
  best.least = warp_min(own);
  best.column = warp_min(own == best.least ? (bits_t)column : NONE);
  best.next = warp_min((bits_t)column == best.column ? __float_as_uint(next) : own);
  return best;
}

__device__ __forceinline__ int wrapped(int place, int n) { return place < n ? place : place - n; }

// What row (ax, ay, az) sees of the columns start, start + step, ...: distance + price; if `owner` is given, the distance, and
// only that of free columns.
template <bool EXACT>
__device__ __forceinline__ Offer look(float ax, float ay, float az, const float4* y, const int* owner, int n, int start,
                                      int step) {
  float least = __uint_as_float(INFINITE), next = least;
  int column = -1;
#pragma unroll 4
  for (int j = start; j < n; j += step) {
    const float4 b = y[j];
    float v = distance<EXACT>(ax, ay, az, b);
    if (owner) {
      v = owner[j] < 0 ? v : __uint_as_float(INFINITE);
    } else {
      v += b.w;
    }
    next = fminf(next, fmaxf(least, v));
    column = v < least ? j : column;
    least = fminf(least, v);
  }
  return warp_best(least, next, column);
}

__device__ __forceinline__ double block_sum(double v, double* partial, int warps) {
  for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(ALL, v, d);
  __syncthreads();  // the last sum has been read
  if ((threadIdx.x & 31) == 0) partial[threadIdx.x >> 5] = v;
  __syncthreads();
  double sum = 0;
  for (int k = 0; k < warps; k++) sum += partial[k];
  return sum;
}

extern "C" __global__ void __launch_bounds__(1024, 1)
auction(const float* __restrict__ all_x, const float* __restrict__ all_y,
        const double* __restrict__ scale, long long* __restrict__ all_match, double* __restrict__ totals,
        double* __restrict__ bounds, int* __restrict__ unsold, int n, float eps, double tolerance,
        long long bids_per_point) {
  extern __shared__ float4 memory[];
  __shared__ Offer offers[MAX_WARPS];
  __shared__ double partial[MAX_WARPS];
  __shared__ int new_head, new_left;
  const int thread = threadIdx.x, threads = blockDim.x, lane = thread & 31, warp = thread >> 5;
  const int warps = threads >> 5, log_warps = 31 - __clz(warps);  // a power of two
  const long long cloud = blockIdx.x;
  long long* match = all_match + cloud * n;
  for (int i = thread; i < n; i += threads) match[i] = i;
  const bool known = scale[cloud] - scale[cloud] == 0;  // finite
  if (n < 2 || !known) {
    if (thread == 0) {
      totals[cloud] = bounds[cloud] = known ? 0.0 : scale[cloud] - scale[cloud];
      unsold[cloud] = 0;
    }
    return;
  }
  float4* y = memory;  // and the prices
  float *x0 = (float*)(y + n), *x1 = x0 + n, *x2 = x1 + n;
  int *owner = (int*)(x2 + n), *queue = owner + n;
  for (int i = thread; i < n; i += threads) {
    const float *p = all_x + (cloud * n + i) * 3, *q = all_y + (cloud * n + i) * 3;
    x0[i] = p[0], x1[i] = p[1], x2[i] = p[2];
    y[i] = make_float4(q[0], q[1], q[2], 0.f);
  }
  const long long max_bids = bids_per_point * n;
  long long bids = 0;
  double total, bound;
  int left;
  for (float step = 0.1f;;) {
    for (int i = thread; i < n; i += threads) owner[i] = -1, queue[i] = i;
    __syncthreads();
    int head = 0;
    left = n;
    while (left > 0 && bids < max_bids) {
      const int bidders = min(left, warps);
      const int log_team = log_warps - (bidders > 1 ? 32 - __clz(bidders - 1) : 0);  // warps per bidder
      const int slot = warp >> log_team, team = 1 << log_team;
      Offer offer = {INFINITE, INFINITE, NONE};
      if (slot < bidders) {
        const int i = queue[wrapped(head + slot, n)];
        offer = look<false>(x0[i], x1[i], x2[i], y, 0, n, ((warp & (team - 1)) << 5) + lane, team << 5);
      }
      if (lane == 0) offers[warp] = offer;
      __syncthreads();
      if (warp == 0) {  // lane k holds the offer of warp k; the first lane of a team decides for it
        offer = {INFINITE, INFINITE, NONE};
        if (lane < warps) offer = offers[lane];
        for (int d = 1; d < team; d <<= 1) {
          const bits_t least = __shfl_xor_sync(ALL, offer.least, d), next = __shfl_xor_sync(ALL, offer.next, d);
          const bits_t column = __shfl_xor_sync(ALL, offer.column, d);
          offer.next = min(min(offer.next, next), max(offer.least, least));
          if (least < offer.least || (least == offer.least && column < offer.column)) offer.column = column;
          offer.least = min(offer.least, least);
        }
        const int mine = lane >> log_team;
        const bool bidding = (lane & (team - 1)) == 0 && mine < bidders && offer.column < (bits_t)n;
        int row = -1;
        bits_t bid = 0;
        if (bidding) {
          row = queue[wrapped(head + mine, n)];
          const float price = y[offer.column].w;
          const float raised = price + ((__uint_as_float(offer.next) - __uint_as_float(offer.least)) + step);
          // a bid always raises the price, if only to the next float, or the auction might never end
          bid = __float_as_uint(raised > price ? raised : __uint_as_float(__float_as_uint(price) + 1));
        }
        bool lost = false;
        for (int s = 0; s < bidders; s++) {
          const bits_t column = __shfl_sync(ALL, offer.column, s << log_team), other = __shfl_sync(ALL, bid, s << log_team);
          lost |= bidding && column == offer.column && (other > bid || (other == bid && s < mine));
        }
        int again = bidding && lost ? row : -1;
        if (bidding && !lost) again = owner[offer.column];
        const unsigned pushed = __ballot_sync(ALL, again >= 0);
        if (bidding && !lost) {
          owner[offer.column] = row;
          y[offer.column].w = __uint_as_float(bid);
        }
        // at most as many as were taken from the queue; they were read above
        if (again >= 0) queue[wrapped(wrapped(head + left, n) + __popc(pushed & ((1u << lane) - 1)), n)] = again;
        if (lane == 0) {
          new_head = wrapped(head + bidders, n);
          new_left = left - bidders + __popc(pushed);
        }
      }
      __syncthreads();
      head = new_head;
      left = new_left;
      bids += bidders;
    }
    for (int k = 0; k < left; k++) {  // out of bids: each row that is left takes the nearest free column
      const int i = queue[wrapped(head + k, n)];
      const Offer offer = look<false>(x0[i], x1[i], x2[i], y, owner, n, thread, threads);
      if (lane == 0) offers[warp] = offer;
      __syncthreads();
      if (thread == 0) {
        Offer best = offers[0];
        for (int w = 1; w < warps; w++)
          if (offers[w].least < best.least || (offers[w].least == best.least && offers[w].column < best.column)) best = offers[w];
        owner[best.column] = i;
      }
      __syncthreads();
    }
    // total distance, and what it exceeds the optimum by at most (weak duality)
    double distances = 0, dual = 0;
    for (int j = thread; j < n; j += threads) {
      const int i = owner[j];
      distances += distance<false>(x0[i], x1[i], x2[i], y[j]);
      dual -= y[j].w;
    }
    for (int i = warp; i < n; i += warps) {
      const Offer offer = look<false>(x0[i], x1[i], x2[i], y, 0, n, lane, 32);
      if (lane == 0) dual += __uint_as_float(offer.least);
    }
    total = block_sum(distances, partial, warps);
    bound = total - block_sum(dual, partial, warps);
    bound = bound > 0 ? bound : 0;
    if (left > 0 || (step <= eps && (bound <= tolerance * total || step < 1e-6f))) break;
    step = step > eps ? fmaxf(step * 0.2f, eps) : step * 0.2f;
    __syncthreads();
  }
  for (int j = thread; j < n; j += threads) match[owner[j]] = j;
  if (thread == 0) {
    totals[cloud] = total;
    bounds[cloud] = bound;
    unsold[cloud] = left;
  }
}

extern "C" __global__ void __launch_bounds__(1024, 1)
msn(const float* __restrict__ all_x, const float* __restrict__ all_y, long long* __restrict__ all_match, int n, float eps,
    int rounds) {
  extern __shared__ float4 memory[];
  __shared__ int num_free;
  const int thread = threadIdx.x, threads = blockDim.x, lane = thread & 31, warp = thread >> 5, warps = threads >> 5;
  const long long cloud = blockIdx.x;
  float4* y = memory;                                      // and the prices
  unsigned long long* bids = (unsigned long long*)(y + n);  // the highest for each column: its bits, and ~row
  float *x0 = (float*)(bids + n), *x1 = x0 + n, *x2 = x1 + n;
  int *owner = (int*)(x2 + n), *match = owner + n, *free_rows = match + n;
  for (int i = thread; i < n; i += threads) {
    const float *p = all_x + (cloud * n + i) * 3, *q = all_y + (cloud * n + i) * 3;
    x0[i] = p[0], x1[i] = p[1], x2[i] = p[2];
    y[i] = make_float4(q[0], q[1], q[2], 0.f);
    owner[i] = match[i] = -1;
  }
  for (int round = 0; round < rounds; round++) {
    if (thread == 0) num_free = 0;
    __syncthreads();
    for (int i = thread; i < n; i += threads) {
      bids[i] = 0;
      if (match[i] < 0) free_rows[atomicAdd(&num_free, 1)] = i;  // in any order: it makes no difference
    }
    __syncthreads();
    const int count = num_free;
    if (count == 0) break;
    for (int k = warp; k < count; k += warps) {
      const int i = free_rows[k];
      const Offer offer = look<true>(x0[i], x1[i], x2[i], y, 0, n, lane, 32);
      if (lane) continue;
      const int column = offer.column < (bits_t)n ? (int)offer.column : 0;  // a distance may be infinite
      if (round == rounds - 1) {
        match[i] = column;
      } else {
        const float bid = __uint_as_float(offer.next) - __uint_as_float(offer.least) + eps;
        atomicMax(&bids[column], (unsigned long long)__float_as_uint(bid) << 32 | (unsigned)~i);
      }
    }
    __syncthreads();
    for (int j = thread; j < n; j += threads) {
      if (bids[j] == 0) continue;
      const int row = (int)~(unsigned)bids[j];
      if (owner[j] >= 0) match[owner[j]] = -1;
      owner[j] = row;
      match[row] = j;
      y[j].w += __uint_as_float((bits_t)(bids[j] >> 32));
    }
    __syncthreads();
  }
  __syncthreads();
  for (int i = thread; i < n; i += threads) all_match[cloud * n + i] = match[i];
}
