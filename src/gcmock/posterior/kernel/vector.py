"""Sixteen nodes or places at a time: the innermost sums, written for the vector units.

LLVM vectorises a loop over a few dozen places well only if it knows that their number is a
multiple of the width of a vector. Here the loops are over blocks of sixteen, and the operations
are written as operations on vectors; on a machine with narrower ones LLVM splits them.

A block has rows of sixteen numbers: the coordinates W, c and Q, then one row of weights per
population. For a star whose Gaussian is centred on (w, c, q) the log2 likelihood of a place is

    -dq² inv_q - z² inv_w - y² inv_c,

    dq = q - Q,   y = c - C - delta dq,   z = w - W - gamma dq - beta y.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gcmock.words.components import N_POPULATION

LANES = 16
"""Places in a block."""

N_COORDINATE = 3
"""Rows of a block before the weights."""

# Near-minimax polynomial for 2^f on [-1/2, 1/2], degree 3: relative error below 8e-5, far below
# that of the lattice.
EXP2_COEFFICIENTS = (0.99992807, 0.69326099, 0.24261112, 0.05517167)

LEAST_EXPONENT = -80.0
"""2^x below this is 2^-80: it keeps products out of the denormal range, which is slow."""

FLOATS = ir.VectorType(ir.FloatType(), LANES)
INTS = ir.VectorType(ir.IntType(32), LANES)
INDEX = ir.IntType(64)
FAST = ("fast",)
# Adding it rounds a small number to an integer that stands in the lowest bits.
_ROUND = 12582912.0


def constant(value: float) -> ir.Constant:
    """Return a vector of one number."""
    return ir.Constant(FLOATS, [value] * LANES)


def splat(builder: Any, value: Any, vector: Any = FLOATS) -> Any:
    """Return a vector of one value."""
    undefined = ir.Constant(vector, ir.Undefined)
    one = builder.insert_element(undefined, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, undefined, ir.Constant(INTS, [0] * LANES))


def load(builder: Any, pointer: Any, index: Any) -> Any:
    """Load a vector."""
    return builder.load(builder.gep(pointer, [index]), align=4)


def data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Pointer to the vectors of a contiguous array of float32."""
    pointer = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(pointer, FLOATS.as_pointer())


def _exp2(builder: Any, x: Any) -> Any:
    floor = constant(LEAST_EXPONENT)
    x = builder.select(builder.fcmp_ordered(">", x, floor), x, floor)
    shifted = builder.fadd(x, constant(_ROUND))
    f = builder.fsub(x, builder.fsub(shifted, constant(_ROUND)))
    p = constant(EXP2_COEFFICIENTS[-1])
    for coefficient in reversed(EXP2_COEFFICIENTS[:-1]):
        p = builder.fadd(builder.fmul(p, f, flags=FAST), constant(coefficient), flags=FAST)
    power = builder.shl(builder.bitcast(shifted, INTS), ir.Constant(INTS, [23] * LANES))
    return builder.bitcast(builder.add(builder.bitcast(p, INTS), power), FLOATS)


def _likelihood(builder: Any, row: Any, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c) -> Any:
    """Likelihood of the places of a block; `row(i)` loads its row i."""

    def sub(x: Any, y: Any) -> Any:
        return builder.fsub(x, y, flags=FAST)

    def mul(x: Any, y: Any) -> Any:
        return builder.fmul(x, y, flags=FAST)

    dq = sub(q, row(2))
    y = sub(sub(c, row(1)), mul(delta, dq))
    z = sub(sub(sub(w, row(0)), mul(gamma, dq)), mul(beta, y))
    exponent = sub(constant(0.0), mul(mul(dq, dq), inv_q))
    exponent = sub(exponent, mul(mul(z, z), inv_w))
    return _exp2(builder, sub(exponent, mul(mul(y, y), inv_c)))


@contextmanager
def _each_block(
    builder: Any, block: Any, n_row: int, first: Any, last: Any, listed: Any = None
) -> Iterator[tuple[Any, Any]]:
    """Loop over blocks, or over places of a list of blocks.

    Yields the index of the block and a function that loads a row of it.
    """
    with cgutils.for_range_slice(builder, first, last, ir.Constant(INDEX, 1)) as (k, _):
        if listed is not None:
            k = builder.zext(builder.load(builder.gep(listed, [k])), INDEX)
        begin = builder.mul(k, ir.Constant(INDEX, n_row))
        yield k, lambda i: load(builder, block, builder.add(begin, ir.Constant(INDEX, i)))


def _add(builder: Any, total: Any, each: Any, scale, star) -> None:
    """Add scale · likelihood · weight of the blocks that `each` loops over to the sums `total`."""
    sums = []
    for p in range(N_POPULATION):
        sums.append(cgutils.alloca_once(builder, FLOATS))
        builder.store(load(builder, total, ir.Constant(INDEX, p)), sums[p])
    with each as (_, row):
        like = _likelihood(builder, row, *star)
        if scale is not None:
            like = builder.fmul(like, scale, flags=FAST)
        for p in range(N_POPULATION):
            term = builder.fmul(like, row(N_COORDINATE + p), flags=FAST)
            builder.store(builder.fadd(builder.load(sums[p]), term, flags=FAST), sums[p])
    for p in range(N_POPULATION):
        place = builder.gep(total, [ir.Constant(INDEX, p)])
        builder.store(builder.load(sums[p]), place, align=4)


@intrinsic
def add_blocks(
    typingctx, block, first, last, total, scale, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
):  # fmt: skip
    """Add scale · likelihood · weight of the places of the blocks first to last to `total`.

    `block` is (n_block, 3 + N_POPULATION, 16), `total` (N_POPULATION, 16) of float32: sums over
    every sixteenth place. All other arguments are float32 but the two indices, which are int64.
    """
    signature = types.void(
        block, first, last, total, scale, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
    )

    def generate(context, builder, signature, args):
        blocks = data(context, builder, signature.args[0], args[0])
        totals = data(context, builder, signature.args[3], args[3])
        scale, *star = (splat(builder, value) for value in args[4:])
        n_row = N_COORDINATE + N_POPULATION
        each = _each_block(builder, blocks, n_row, args[1], args[2])
        _add(builder, totals, each, scale, star)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def list_blocks(typingctx, listed, n, first):
    """Write first, first + 1, ... to sixteen places of a list (int32) from place n on."""
    signature = types.void(listed, n, first)

    def generate(context, builder, signature, args):
        which = context.make_array(signature.args[0])(context, builder, args[0]).data
        place = builder.bitcast(builder.gep(which, [args[1]]), INTS.as_pointer())
        first = builder.trunc(args[2], ir.IntType(32))
        steps = ir.Constant(INTS, list(range(LANES)))
        builder.store(builder.add(splat(builder, first, INTS), steps), place, align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_listed(
    typingctx, block, listed, n, total, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
):  # fmt: skip
    """Do the same for the first n blocks of a list (int32), with a scale of one.

    One long loop instead of many short ones: the processor never waits for a row to end.
    """
    signature = types.void(
        block, listed, n, total, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
    )

    def generate(context, builder, signature, args):
        blocks = data(context, builder, signature.args[0], args[0])
        which = context.make_array(signature.args[1])(context, builder, args[1]).data
        totals = data(context, builder, signature.args[3], args[3])
        star = [splat(builder, value) for value in args[4:]]
        n_row = N_COORDINATE + N_POPULATION
        zero = ir.Constant(INDEX, 0)
        each = _each_block(builder, blocks, n_row, zero, args[2], which)
        _add(builder, totals, each, None, star)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def weigh_blocks(
    typingctx, block, first, last, out, begin, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
):  # fmt: skip
    """Write likelihood · weight of the nodes of the blocks first to last to `out`.

    `block` is (n_block, 4, 16) of float32: one population. They go to the places from 16 `begin`
    on, where `out` must have room for all of them.
    """
    signature = types.void(
        block, first, last, out, begin, w, c, q, gamma, delta, inv_q, beta, inv_w, inv_c
    )

    def generate(context, builder, signature, args):
        blocks = data(context, builder, signature.args[0], args[0])
        out = data(context, builder, signature.args[3], args[3])
        shift = builder.sub(args[4], args[1])
        star = [splat(builder, value) for value in args[5:]]
        with _each_block(builder, blocks, N_COORDINATE + 1, args[1], args[2]) as (k, row):
            value = builder.fmul(_likelihood(builder, row, *star), row(N_COORDINATE), flags=FAST)
            builder.store(value, builder.gep(out, [builder.add(k, shift)]), align=4)
        return context.get_dummy_value()

    return signature, generate
