"""Components as the lanes of vectors: what the kernel does at every point and in every bin.

LLVM does not see that these short loops never overlap in memory, and would do them one component
after the other.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from gcmock.posterior.kernel.vector import FAST, FLOATS, INDEX, LANES, constant, data, load, splat


def _vector(builder: Any, operation: str, *values: Any) -> Any:
    """Call an LLVM operation on vectors."""
    kind = ir.FunctionType(FLOATS, [FLOATS] * len(values))
    function = cgutils.get_or_insert_function(builder.module, kind, f"{operation}.v{LANES}f32")
    return builder.call(function, values)


def _total(builder: Any, x: Any) -> Any:
    """Sum over lanes."""
    kind = ir.FunctionType(ir.FloatType(), [ir.FloatType(), FLOATS])
    name = f"llvm.vector.reduce.fadd.v{LANES}f32"
    function = cgutils.get_or_insert_function(builder.module, kind, name)
    return builder.call(function, [ir.Constant(ir.FloatType(), 0.0), x], fastmath=FAST)


def _fourth_power(builder: Any, x: Any) -> Any:
    square = builder.fmul(x, x, flags=FAST)
    return builder.fmul(square, square, flags=FAST)


@intrinsic
def accumulate_lanes(typingctx, values, n, sums):
    """Fill the n + 1 rows of `sums` with the sums of all rows of `values` before each."""
    signature = types.void(values, n, sums)

    def generate(context, builder, signature, args):
        rows = data(context, builder, signature.args[0], args[0])
        sums = data(context, builder, signature.args[2], args[2])
        one = ir.Constant(INDEX, 1)
        running = cgutils.alloca_once(builder, FLOATS)
        builder.store(constant(0.0), running)
        builder.store(constant(0.0), sums, align=4)
        with cgutils.for_range_slice(builder, ir.Constant(INDEX, 0), args[1], one) as (i, _):
            value = builder.fadd(builder.load(running), load(builder, rows, i))
            builder.store(value, running)
            builder.store(value, builder.gep(sums, [builder.add(i, one)]), align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def clear_lanes(typingctx, rows, n):
    """Fill the first n rows, a literal, with zeros."""
    if not isinstance(n, types.IntegerLiteral):
        return None
    signature = types.void(rows, n)

    def generate(context, builder, signature, args):
        rows = data(context, builder, signature.args[0], args[0])
        for i in range(signature.args[1].literal_value):
            builder.store(constant(0.0), builder.gep(rows, [ir.Constant(INDEX, i)]), align=4)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def total_lanes(typingctx, rows, i, out):
    """Write the sum over the lanes of row i to out[i]."""
    signature = types.void(rows, i, out)

    def generate(context, builder, signature, args):
        row = load(builder, data(context, builder, signature.args[0], args[0]), args[1])
        out = context.make_array(signature.args[2])(context, builder, args[2]).data
        builder.store(_total(builder, row), builder.gep(out, [args[1]]))
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def predict_lanes(typingctx, roots, j, near, before, after, out):
    """Write the cubic through rows j +- near, before and after, at row j, to `out`."""
    signature = types.void(roots, j, near, before, after, out)

    def generate(context, builder, signature, args):
        rows = data(context, builder, signature.args[0], args[0])
        j, near, before, after = args[1:5]
        inner = builder.fadd(
            load(builder, rows, builder.sub(j, near)), load(builder, rows, builder.add(j, near))
        )
        outer = builder.fadd(load(builder, rows, before), load(builder, rows, after))
        value = builder.fsub(
            builder.fmul(inner, constant(0.5625)), builder.fmul(outer, constant(0.0625))
        )
        value = _vector(builder, "llvm.maxnum", value, constant(0.0))
        builder.store(value, data(context, builder, signature.args[5], args[5]), align=4)
        return context.get_dummy_value()

    return signature, generate


def _prior_between(context: Any, builder: Any, signature: Any, args: Any) -> tuple[Any, Any]:
    """Prior between two bins, and the likelihood at a row, of `score_lanes` and its like."""
    sums = data(context, builder, signature.args[0], args[0])
    rows = data(context, builder, signature.args[3], args[3])
    between = builder.fsub(load(builder, sums, args[2]), load(builder, sums, args[1]))
    return between, _fourth_power(builder, load(builder, rows, args[4]))


@intrinsic
def score_lanes(typingctx, cumulative, first, last, roots, j):
    """Sum over lanes of (cumulative[last] - cumulative[first]) · roots[j]⁴."""
    signature = types.float32(cumulative, first, last, roots, j)

    def generate(context, builder, signature, args):
        between, value = _prior_between(context, builder, signature, args)
        return _total(builder, builder.fmul(between, value, flags=FAST))

    return signature, generate


@intrinsic
def difference_lanes(typingctx, cumulative, first, last, roots, j, guess):
    """Sum over lanes of (cumulative[last] - cumulative[first]) · |roots[j]⁴ - guess⁴|."""
    signature = types.float32(cumulative, first, last, roots, j, guess)

    def generate(context, builder, signature, args):
        between, value = _prior_between(context, builder, signature, args)
        guess = builder.load(data(context, builder, signature.args[5], args[5]), align=4)
        difference = builder.fsub(value, _fourth_power(builder, guess))
        size = _vector(builder, "llvm.fabs", difference)
        return _total(builder, builder.fmul(between, size, flags=FAST))

    return signature, generate


@intrinsic
def roots_of_sums(typingctx, sums, groups, factor, least, roots, j):
    """Write factor · sums[groups[c]]^(1/4) to lane c of row j; 0 for sums of at most `least`.

    `groups` (16,) of int64; all else is float32. Returns whether any lane is not zero.
    """
    signature = types.boolean(sums, groups, factor, least, roots, j)

    def generate(context, builder, signature, args):
        sums = context.make_array(signature.args[0])(context, builder, args[0]).data
        groups = context.make_array(signature.args[1])(context, builder, args[1]).data
        value = ir.Constant(FLOATS, ir.Undefined)
        for c in range(LANES):
            group = builder.load(builder.gep(groups, [ir.Constant(INDEX, c)]))
            one = builder.load(builder.gep(sums, [group]))
            value = builder.insert_element(value, one, ir.Constant(ir.IntType(32), c))
        found = builder.fcmp_ordered(">", value, splat(builder, args[3]))
        value = builder.select(found, value, constant(0.0))
        root = _vector(builder, "llvm.sqrt", _vector(builder, "llvm.sqrt", value))
        root = builder.fmul(root, splat(builder, args[2]))
        rows = data(context, builder, signature.args[4], args[4])
        builder.store(root, builder.gep(rows, [args[5]]), align=4)
        bits = builder.bitcast(found, ir.IntType(LANES))
        return builder.icmp_unsigned("!=", bits, ir.Constant(ir.IntType(LANES), 0))

    return signature, generate


@intrinsic
def interpolate_lanes(typingctx, roots, j, f, prior, i, post, evidence):
    """Write prior[i] · r⁴ to post[i] and add it to `evidence`; returns its sum over lanes.

    r is the cubic through rows j - 1 to j + 2 at j + f, not below zero.
    """
    signature = types.float32(roots, j, f, prior, i, post, evidence)

    def generate(context, builder, signature, args):
        rows = data(context, builder, signature.args[0], args[0])
        f = args[2]

        def number(x: float) -> Any:
            return ir.Constant(ir.FloatType(), x)

        # Lagrange weights of the points at -1, 0, 1 and 2.
        less, more = builder.fsub(f, number(1.0)), builder.fadd(f, number(1.0))
        rest = builder.fsub(f, number(2.0))
        outer, inner = builder.fmul(f, less), builder.fmul(more, rest)
        weights = (
            builder.fmul(builder.fmul(outer, rest), number(-1.0 / 6.0)),
            builder.fmul(builder.fmul(inner, less), number(0.5)),
            builder.fmul(builder.fmul(inner, f), number(-0.5)),
            builder.fmul(builder.fmul(outer, more), number(1.0 / 6.0)),
        )
        root = constant(0.0)
        for k, weight in enumerate(weights):
            row = load(builder, rows, builder.add(args[1], ir.Constant(INDEX, k - 1)))
            term = builder.fmul(row, splat(builder, weight), flags=FAST)
            root = builder.fadd(root, term, flags=FAST)
        root = _vector(builder, "llvm.maxnum", root, constant(0.0))
        prior = load(builder, data(context, builder, signature.args[3], args[3]), args[4])
        value = builder.fmul(prior, _fourth_power(builder, root), flags=FAST)
        post = data(context, builder, signature.args[5], args[5])
        builder.store(value, builder.gep(post, [args[4]]), align=4)
        evidence = data(context, builder, signature.args[6], args[6])
        builder.store(builder.fadd(builder.load(evidence, align=4), value), evidence, align=4)
        return _total(builder, value)

    return signature, generate
