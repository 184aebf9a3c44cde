"""Matching two clouds by auction: rows (the points of x) bid for columns (the points of y).

What a bid costs is the search for the two least values of distance + price. Columns are sorted into
blocks of neighbours (a kd-tree's leaves). Prices only rise, so that the least value that a row once
found in a block remains a lower bound of what is there: a bid looks into the two or three blocks
whose bound is below its second best value. Distances are computed anew there; nothing of size N x N
is kept.
"""

import warnings

import numpy as np
import torch
from llvmlite import ir
from numba import njit, types
from numba.core.cgutils import get_or_insert_function
from numba.extending import intrinsic
from torch import Tensor

from pcdet_kd.ops.cpu import augment, blocks
from pcdet_kd.ops.cpu.blocks import BLOCK, BOUNDS
from pcdet_kd.ops.cpu.options import INFINITY, OPTIONS
from pcdet_kd.ops.cpu.threads import for_each_cloud, to_numpy
from pcdet_kd.ops.emd_match import all_finite, to_unit_size, unfinished

TOLERANCE = (
    10  # the proven relative gap, in units of eps, beyond which the auction goes on past eps
)
BIDS_PER_POINT = 5000  # an auction takes 20 to 60; this ends one that rounding keeps alive
FIRST_STEP, SHRINK = (
    np.float32(0.05),
    np.float32(0.15),
)  # eps of the first phase, and its factor from phase to phase

# numba vectorises no search for two minima, so these three are written in LLVM's vector
# instructions, for any processor.


def _vector(context, builder, array_type, array, start, count):
    """Load ``count`` values of a one-dimensional array from ``start`` on."""
    pointer = builder.gep(context.make_array(array_type)(context, builder, array).data, [start])
    vector = ir.VectorType(context.get_data_type(array_type.dtype), count)
    return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=4)


def _shuffled(builder, vector, lanes):
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), len(lanes)), list(lanes))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), lanes)


def _splat(builder, scalar, count):
    vector = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
    return _shuffled(
        builder, builder.insert_element(vector, scalar, ir.Constant(ir.IntType(32), 0)), [0] * count
    )


def _call(builder, name, result, *args):
    return builder.call(
        get_or_insert_function(
            builder.module, ir.FunctionType(result, [a.type for a in args]), name
        ),
        args,
    )


def _trailing_zeros(builder, mask):
    return _call(
        builder, f'llvm.cttz.i{mask.type.width}', mask.type, mask, ir.Constant(ir.IntType(1), 1)
    )


@intrinsic
def search_block(typing_context, x, y, z, price, start, px, py, pz):
    """Return the least and second least of distance + price in the block from ``start`` on, and the
    least's lowest place.

    The values are float32 and >= 0, so that their bits order like integers, of which the minimum is
    cheaper.
    """

    def generate(context, builder, signature, args):
        *coordinates, price = (
            _vector(context, builder, t, a, args[4], BLOCK)
            for t, a in zip(signature.args[:4], args[:4])
        )
        offsets = [
            builder.fsub(c, _splat(builder, p, BLOCK)) for c, p in zip(coordinates, args[5:])
        ]
        dx, dy, dz = (builder.fmul(d, d) for d in offsets)
        squared = builder.fadd(builder.fadd(dx, dy), dz)
        value = builder.fadd(_call(builder, f'llvm.sqrt.v{BLOCK}f32', squared.type, squared), price)
        bits = least = builder.bitcast(value, ir.VectorType(ir.IntType(32), BLOCK))
        second = None
        for width in (
            BLOCK >> s for s in range(1, BLOCK.bit_length())
        ):  # halve both rows until one value is left
            rows = [v for v in (least, second) if v is not None]
            (a, b), *rest = (
                [_shuffled(builder, v, range(o, o + width)) for o in (0, width)] for v in rows
            )
            less = builder.icmp_signed('<', a, b)
            least, second = builder.select(less, a, b), builder.select(less, b, a)
            for c, d in rest:
                lower = builder.select(builder.icmp_signed('<', c, d), c, d)
                second = builder.select(builder.icmp_signed('<', lower, second), lower, second)
        least, second = (
            builder.extract_element(v, ir.Constant(ir.IntType(32), 0)) for v in (least, second)
        )
        equal = builder.icmp_signed('==', bits, _splat(builder, least, BLOCK))
        place = _trailing_zeros(builder, builder.bitcast(equal, ir.IntType(BLOCK)))
        found = [builder.bitcast(v, ir.FloatType()) for v in (least, second)]
        return context.make_tuple(builder, signature.return_type, [*found, place])

    return types.Tuple((types.float32, types.float32, types.int64))(
        x, y, z, price, start, px, py, pz
    ), generate


@intrinsic
def blocks_within(typing_context, bounds, start, limit):
    """Return which of the ``BOUNDS`` values from ``start`` on are at most ``limit``, as bits."""

    def generate(context, builder, signature, args):
        values = _vector(context, builder, signature.args[0], args[0], args[1], BOUNDS)
        within = builder.fcmp_ordered('<=', values, _splat(builder, args[2], BOUNDS))
        return builder.zext(builder.bitcast(within, ir.IntType(BOUNDS)), ir.IntType(64))

    return types.int64(bounds, start, limit), generate


@intrinsic
def lowest_bit(typing_context, mask):
    """Return the place of the lowest 1 of an int64 that is not 0."""
    return types.int64(types.int64), lambda context, builder, signature, args: _trailing_zeros(
        builder, args[0]
    )


@njit(**OPTIONS)
def two_least(order, yx, yy, yz, price, row, block, px, py, pz):
    """Return the least and second least value of a row, and the least's column: the lowest index of
    y on ties.

    ``row`` are the row's bounds, which rise on the way; ``block`` is where to begin. One column
    alone has an infinite second.
    """
    best, second, place = search_block(yx, yy, yz, price, block * BLOCK, px, py, pz)
    row[block] = best
    column = block * BLOCK + place
    for a in range(0, row.size, BOUNDS):
        mask = blocks_within(row, a, second)
        while mask != 0:
            k = a + lowest_bit(mask)
            mask &= mask - 1
            if k != block and row[k] <= second and row[k] < INFINITY:
                least, next_least, place = search_block(yx, yy, yz, price, k * BLOCK, px, py, pz)
                row[k] = least
                place += k * BLOCK
                if least < best or (least == best and order[place] < order[column]):
                    best, second, column = least, min(best, next_least), place
                else:
                    second = min(second, least)
    return best, second, column


@njit(**OPTIONS)
def auction(x, columns, eps, tolerance, max_bids, match, prices):
    """Fill ``match`` (N,) int64 with a bijection of nearly least total distance from x (N, 3) to y,
    given as :func:`~pcdet_kd.ops.cpu.blocks.blocks_of` returns it.

    Gauss-Seidel auction with eps scaling: one row bids at a time, raising its column's price by its
    advantage over the next best plus eps, and whoever is outbid queues again. Each phase lowers eps
    and keeps the prices. Past the ``eps`` (float32) that was asked for it goes on only while the
    gap is not proven to be within ``tolerance`` of the total. A row that is still free after
    ``max_bids`` takes the nearest free column.

    The clouds should have about unit size. ``prices`` (N,) float32 is filled with those of y.
    Returns the total distance, how far it is from the least at most (weak duality), and the number
    of rows that were left.
    """
    n = x.shape[0]
    order, yx, yy, yz, price, bounds = columns
    price_bits = price.view(np.int32)
    column, owner = np.empty(n, np.int64), np.empty(order.size, np.int64)
    queue, block = np.empty(n, np.int64), np.empty(n, np.int64)
    for i in range(n):
        block[i] = bounds[i].argmin()
    step, bids = FIRST_STEP, 0
    while True:
        for i in range(n):
            column[i], owner[i], queue[i] = -1, -1, i
        head, left = 0, n
        while left > 0 and bids < max_bids:
            i = queue[head]
            head = head + 1 if head + 1 < n else 0
            left -= 1
            bids += 1
            best, second, j = two_least(
                order, yx, yy, yz, price, bounds[i], block[i], x[i, 0], x[i, 1], x[i, 2]
            )
            block[i] = j // BLOCK
            raised = price[j] + ((second - best) + step)
            if raised > price[j]:
                price[j] = raised
            else:
                price_bits[j] += (
                    # the next float: a bid always raises the price, or the auction might never end
                    1
                )
            previous = owner[j]
            owner[j], column[i] = i, j
            if previous >= 0:
                column[previous] = -1
                tail = head + left
                queue[tail if tail < n else tail - n] = previous
                left += 1
        if left > 0 or step <= eps:
            total, gap = 0.0, 0.0
            for i in range(n):
                px, py, pz = x[i, 0], x[i, 1], x[i, 2]
                if column[i] < 0:
                    _take_nearest_free(yx, yy, yz, owner, i, column, px, py, pz)
                best, _, _ = two_least(order, yx, yy, yz, price, bounds[i], block[i], px, py, pz)
                j = column[i]
                distance = np.sqrt((yx[j] - px) ** 2 + (yy[j] - py) ** 2 + (yz[j] - pz) ** 2)
                total += distance
                gap += (np.float64(distance) - best) + price[j]
            if left > 0 or gap <= tolerance * total or step < 1e-6:
                break
        step = max(step * SHRINK, eps) if step > eps else step * SHRINK
    for i in range(n):
        match[i], prices[order[i]] = order[column[i]], price[i]
    return total, max(gap, 0.0), left


@njit(**OPTIONS)
def _take_nearest_free(yx, yy, yz, owner, i, column, px, py, pz):
    best, nearest = INFINITY, -1
    for j in range(column.size):
        if owner[j] < 0:
            d = (yx[j] - px) ** 2 + (yy[j] - py) ** 2 + (yz[j] - pz) ** 2
            if nearest < 0 or d < best:
                best, nearest = d, j
    column[i], owner[nearest] = nearest, i


@njit(**OPTIONS)
def jacobi_auction(x, columns, eps, iterations, match):
    """Fill ``match`` (N,) int64 as the auction of MSN does: all free rows bid at once, eps stays as
    it is.

    A column takes the greatest raise (the lowest row on ties). In the last round each row that is
    still free takes its favourite and evicts nobody, so that columns may then be shared. Stops when
    no row is free, which changes nothing.
    """
    n = x.shape[0]
    order, yx, yy, yz, price, bounds = columns
    owner, raise_by, bidder = (
        np.full(order.size, -1),
        np.empty(order.size, np.float32),
        np.empty(order.size, np.int64),
    )
    block = np.zeros(n, np.int64)
    match[:] = -1
    for r in range(iterations):
        bidder[:] = -1
        free = 0
        for i in range(n):
            if match[i] >= 0:
                continue
            free += 1
            best, second, j = two_least(
                order, yx, yy, yz, price, bounds[i], block[i], x[i, 0], x[i, 1], x[i, 2]
            )
            block[i] = j // BLOCK
            if r == iterations - 1:
                match[i] = order[j]
                continue
            bid = (second - best) + eps
            if bidder[j] < 0 or bid > raise_by[j]:
                bidder[j], raise_by[j] = i, bid
        if free == 0:
            break
        for j in range(order.size):
            if bidder[j] >= 0:
                if owner[j] >= 0:
                    match[owner[j]] = -1
                owner[j] = bidder[j]
                match[bidder[j]] = order[j]
                price[j] += raise_by[j]


def emd_match(x: Tensor, y: Tensor, eps: float, exact: bool) -> tuple[Tensor, Tensor]:
    """See :func:`pcdet_kd.ops.emd_match.emd_match_torch`."""
    a, b, scale = (v.cpu() for v in to_unit_size(x, y))
    n = a.shape[1]
    match = torch.arange(n).repeat(len(a), 1)
    out, known = match.numpy(), scale.isfinite().tolist()
    tolerance = np.inf if exact else TOLERANCE * eps

    def solve(i: int) -> tuple[float, float, int]:
        if n == 1 or not known[i]:
            return (0.0, 0.0, 0) if known[i] else (np.nan, np.nan, 0)
        p, q, rows, prices = to_numpy(a[i]), to_numpy(b[i]), out[i], np.empty(n, np.float32)
        columns = blocks.blocks_of(p, q)
        result = auction(p, columns, np.float32(eps), tolerance, BIDS_PER_POINT * n, rows, prices)
        return (
            (*augment.finish(a[i].numpy(), b[i].numpy(), prices.astype(np.float64), rows), 0)
            if exact
            else result
        )

    outcomes = for_each_cloud(solve, len(a))
    for i, (total, bound, left) in enumerate(outcomes):
        if left:
            warnings.warn(unfinished(i, x, left, bound / total), stacklevel=3)
    bounds = torch.tensor([bound / n for _, bound, _ in outcomes], dtype=torch.float64) * scale
    return match.to(x.device), bounds.to(x.device, torch.float32)


def msn_match(x: Tensor, y: Tensor, eps: float, iterations: int) -> Tensor:
    """See :func:`pcdet_kd.ops.emd_match.msn_match_torch`."""
    match = torch.arange(x.shape[1]).repeat(len(x), 1)
    p, q, out, known = to_numpy(x), to_numpy(y), match.numpy(), all_finite(x, y).tolist()

    def solve(i: int) -> None:
        if known[i] and x.shape[1] > 1:
            columns = blocks.blocks_of(p[i], q[i])
            jacobi_auction(p[i], columns, np.float32(eps), iterations, out[i])

    for_each_cloud(solve, len(p))
    return match.to(x.device)
