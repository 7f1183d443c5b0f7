# SPDX-License-Identifier: Apache-2.0
"""Cases for operators on tensors and images beyond the common ones, in groups; each group is one model.

Groups draw from `draw`, which `model_of` seeds, so that a group is the same every time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from support import Const, Model, Q

F32 = np.float32


class _Draw:
    """Random arrays."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)

    def real(self, *shape: int) -> np.ndarray:
        return self.rng.standard_normal(shape).astype(F32)

    def between(self, low: float, high: float, *shape: int) -> np.ndarray:
        return self.rng.uniform(low, high, shape).astype(F32)

    def whole(self, dtype: type, low: int, high: int, *shape: int) -> np.ndarray:
        return self.rng.integers(low, high, shape, endpoint=True).astype(dtype)


draw = _Draw()


def ints(*values: int) -> Const:
    return Const(np.array(values, np.int64))


def reals(*values: float) -> Const:
    return Const(np.array(values, F32))


# -- against onnxruntime ---------------------------------------------------------------------------


def resizing(m: Model) -> None:
    modes = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric")
    for mode in ("nearest", "linear", "cubic"):
        for transform in modes:
            for name, size in (("Up", (7, 9)), ("Down", (3, 2)), ("Mixed", (8, 3))):
                if mode == "nearest" and transform == "half_pixel_symmetric":
                    continue
                m.plain(f"{mode}{transform}{name}", "Resize", (1, 2, 5, 4), None, None, ints(1, 2, *size), mode=mode,
                        coordinate_transformation_mode=transform)
    for rule in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        for transform in ("half_pixel", "asymmetric", "align_corners"):
            m.plain(f"{rule}{transform}", "Resize", (1, 1, 6, 5), None, reals(1, 1, 1.5, 0.6), mode="nearest",
                    coordinate_transformation_mode=transform, nearest_mode=rule)
    m.plain("Axes", "Resize", (2, 3, 4, 5), None, None, ints(8, 7), axes=[2, 3], mode="linear")
    m.plain("Keep", "Resize", (1, 2, 4, 6), None, None, ints(8, 8), axes=[2, 3], mode="linear",
            keep_aspect_ratio_policy="not_larger")
    m.plain("OneAxis", "Resize", (3, 5), None, reals(1, 2), mode="linear")
    m.plain("Three", "Resize", (1, 1, 3, 4, 2), None, reals(1, 1, 2, 1.5, 2), mode="linear")
    m.plain("Crop", "Resize", (1, 1, 6, 6), reals(0, 0, 0.2, 0.3, 1, 1, 0.7, 1.2), None, ints(1, 1, 4, 5),
            mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=2.5)
    m.plain("Outside", "Resize", (1, 1, 5, 6), None, reals(1, 1, 0.8, 1.7), mode="cubic", exclude_outside=1,
            cubic_coeff_a=-0.5)
    m.plain("Bytes", "Resize", draw.whole(np.uint8, 0, 255, 1, 2, 4, 4), None, reals(1, 1, 2, 2), mode="nearest")
    m.plain("LastAxis", "Resize", (1, 4, 3, 2), None, reals(1, 2, 2, 1), mode="nearest", nearest_mode="floor",
            coordinate_transformation_mode="asymmetric")


def transposed_convolutions(m: Model) -> None:
    def case(name: str, x: tuple[int, ...], w: tuple[int, ...], bias: bool = True, **attributes: object) -> None:
        outputs = w[1] * int(attributes.get("group", 1))  # type: ignore[call-overload]
        m.plain(name, "ConvTranspose", x, Const(0.3 * draw.real(*w)), Const(draw.real(outputs)) if bias else None,
                **attributes)

    case("OneD", (1, 3, 7), (3, 4, 3), strides=[2], pads=[1, 1])
    case("Plain", (1, 3, 5, 4), (3, 5, 3, 3))
    case("Doubling", (1, 6, 4, 5), (6, 4, 2, 2), strides=[2, 2])
    case("Overlapping", (2, 3, 4, 5), (3, 6, 4, 4), strides=[2, 2], pads=[1, 1, 1, 1])
    case("Added", (1, 3, 4, 4), (3, 2, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    case("Gaps", (1, 2, 4, 5), (2, 3, 2, 3), strides=[3, 4], bias=False)
    case("Dilated", (1, 2, 4, 5), (2, 3, 3, 2), strides=[2, 3], dilations=[2, 3], pads=[1, 0, 2, 1])
    case("DilatedSame", (1, 2, 4, 5), (2, 3, 3, 2), strides=[4, 2], dilations=[2, 4])
    case("Grouped", (1, 6, 4, 4), (6, 3, 3, 3), group=3, strides=[2, 1])
    case("Depthwise", (1, 4, 4, 4), (4, 1, 4, 4), group=4, strides=[2, 2], pads=[1, 1, 1, 1], bias=False)
    case("SameUpper", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER")
    case("SameLower", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], auto_pad="SAME_LOWER")
    case("Shaped", (1, 2, 4, 5), (2, 3, 3, 3), strides=[2, 2], output_shape=[9, 10])
    case("Volume", (1, 2, 3, 2, 3), (2, 3, 2, 3, 2), strides=[2, 1, 2], pads=[0, 1, 0, 1, 1, 0])
    m.plain("Computed", "ConvTranspose", (1, 3, 4, 4), (3, 2, 3, 3), (2,), strides=[2, 2])
    m.plain("ComputedGroups", "ConvTranspose", (1, 4, 3, 3), (4, 2, 2, 2), group=2)
    m.plain("Normalized", "BatchNormalization", "Plain_y", *(Const(draw.between(0.5, 2, 5)) for _ in range(4)))
    m.node("Relu", ["Normalized_y"], ["ReluAfter"])
    m.outputs.remove("Plain_y")
    m.outputs.remove("Normalized_y")
    m.outputs.append("ReluAfter")


def sampled_images(m: Model) -> None:
    m.opset = 20
    for mode in ("nearest", "linear", "cubic"):
        for padding in ("zeros", "border", "reflection"):
            for corners in (0, 1):
                grid = draw.between(-1.4, 1.4, 2, 3, 4, 2)
                m.plain(f"{mode}{padding}{corners}", "GridSample", (2, 3, 6, 5), grid, mode=mode, padding_mode=padding,
                        align_corners=corners)
    for mode in ("nearest", "linear"):
        m.plain(f"{mode}Volume", "GridSample", (1, 2, 3, 4, 3), draw.between(-1.2, 1.2, 1, 2, 3, 2, 3), mode=mode)
    for corners in (0, 1):
        m.plain(f"Affine{corners}", "AffineGrid", (2, 2, 3), ints(2, 3, 4, 5), align_corners=corners)
        m.plain(f"AffineVolume{corners}", "AffineGrid", (1, 3, 4), ints(1, 2, 3, 2, 4), align_corners=corners)
    rois = np.array([[0.2, 0.3, 5.1, 4.2], [1, 1, 3.5, 7.9], [-2, -1, 2, 2], [4, 3, 4.1, 3.2]], F32)
    images = Const(np.array([0, 1, 1, 0], np.int64))
    for name, attributes in (("Plain", {}), ("Sampled", {"sampling_ratio": 2}), ("Scaled", {"spatial_scale": 0.5}),
                             ("Old", {"coordinate_transformation_mode": "output_half_pixel"})):
        m.plain(f"Roi{name}", "RoiAlign", (2, 3, 8, 6), rois, images, output_height=2, output_width=3, **attributes)
    m.plain("RoiMax", "RoiAlign", (2, 3, 8, 6), rois, np.array([1, 0, 0, 1], np.int64), mode="max", sampling_ratio=2,
            output_height=2, output_width=2)


def statistics(m: Model) -> None:
    for k, shape in enumerate(((2, 3, 4, 5), (1, 4, 9), (2, 2, 3, 2, 4))):
        m.plain(f"Instance{k}", "InstanceNormalization", shape, Const(draw.real(shape[1])), Const(draw.real(shape[1])),
                epsilon=1e-3)
        m.plain(f"Mean{k}", "MeanVarianceNormalization", shape, axes=[0, 2])
    m.plain("InstanceComputed", "InstanceNormalization", (2, 3, 4, 4), (3,), (3,))
    for k, size in enumerate((1, 3, 5)):
        m.plain(f"Lrn{k}", "LRN", 3 * draw.real(1, 6, 3, 2), size=size, alpha=0.02, beta=0.6, bias=1.5)
    for p in (1, 2):
        for axis in (0, 1, -1):
            m.plain(f"Norm{p}{axis % 3}", "LpNormalization", (3, 4, 5), p=p, axis=axis)
    m.plain("NormZero", "LpNormalization", np.zeros((2, 3), F32) + np.array([[0], [1]], F32), p=2, axis=1)
    for p in (1, 2, 3):
        m.plain(f"LpPool{p}", "LpPool", (1, 2, 7, 6), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0], p=p)
        m.plain(f"GlobalLp{p}", "GlobalLpPool", (2, 3, 4, 5), p=p)
    m.plain("LpPool3D", "LpPool", (1, 2, 4, 4, 3), kernel_shape=[2, 2, 2])
    m.node("Clip", ["LpPool2_y", "ClipLow", "ClipHigh"], ["LpPoolClipped"])
    m.const("ClipLow", np.array(0.5, F32))
    m.const("ClipHigh", np.array(1.5, F32))
    m.outputs[m.outputs.index("LpPool2_y")] = "LpPoolClipped"


def selections(m: Model) -> None:
    ties = np.round(2 * draw.real(3, 4, 6))
    for k, axis in enumerate((0, 1, -1)):
        for largest in (0, 1):
            m.plain(f"Top{k}{largest}", "TopK", ties, ints(2), axis=axis, largest=largest, count=2)
        m.plain(f"Hardmax{k}", "Hardmax", ties, axis=axis)
    m.plain("TopAll", "TopK", draw.real(9), ints(9), count=2)
    m.plain("TopOne", "TopK", draw.whole(np.int64, -3, 3, 2, 7), ints(1), count=2)
    m.plain("TopNone", "TopK", draw.real(2, 3), ints(3), axis=1, largest=0, count=2)
    m.plain("Trilu", "Trilu", (2, 4, 5))
    for k in (-6, -1, 0, 2, 9):
        for upper in (0, 1):
            m.plain(f"Trilu{k % 20}{upper}", "Trilu", (3, 4), Const(np.array(k, np.int64)), upper=upper)
    m.plain("TriluComputed", "Trilu", draw.whole(np.int64, -9, 9, 4, 4), np.array(1, np.int64), upper=0)
    for k, axis in enumerate((0, 1, -1)):
        for exclusive in (0, 1):
            for reverse in (0, 1):
                m.plain(f"Sum{k}{exclusive}{reverse}", "CumSum", (2, 3, 4), Const(np.array(axis, np.int64)),
                        exclusive=exclusive, reverse=reverse)
    for axis in (0, 2, -2):
        for name, attributes in (("", {}), ("E", {"exclusive": 1}), ("R", {"reverse": 1}),
                                 ("ER", {"exclusive": 1, "reverse": 1})):
            m.plain(f"SumAny{axis % 5}{name}", "CumSum", (2, 3, 4), np.array(axis, np.int64), **attributes)
    m.plain("SumWhole", "CumSum", draw.whole(np.int32, -9, 9, 3, 5), Const(np.array(1, np.int64)))
    m.plain("Eye", "EyeLike", (3, 5), k=1)
    m.plain("Det", "Det", (2, 3, 3))
    m.plain("DetSingular", "Det", np.ones((3, 3), F32))
    m.plain("DetPivot", "Det", np.array([[0, 2, 1], [3, 0, 0], [1, 1, 0]], F32))
    odd = np.array([1, np.nan, np.inf, -np.inf, 0], F32)
    m.plain("IsNaN", "IsNaN", odd)
    m.plain("IsInf", "IsInf", odd)
    m.plain("IsInfNegative", "IsInf", odd, detect_positive=0)
    m.plain("IsInfPositive", "IsInf", odd, detect_negative=0)
    for dtype in (np.uint8, np.uint32, np.uint64):
        bits = np.iinfo(dtype).bits
        x, shift = draw.whole(dtype, 0, 200, 3, 4), draw.whole(dtype, 0, bits - 1, 4)
        for direction in ("LEFT", "RIGHT"):
            m.plain(f"Shift{bits}{direction}", "BitShift", x, shift, direction=direction)


def picked_elements(m: Model) -> None:
    for k, axis in enumerate((0, 1, -1)):
        index = draw.whole(np.int64, -2, 1, 2, 3, 2)
        m.plain(f"Elements{k}", "GatherElements", (2, 3, 4), Const(index), axis=axis)
        m.plain(f"ElementsComputed{k}", "GatherElements", (2, 3, 4), index.astype(np.int32), axis=axis)
        order = np.argsort(draw.real(2, 3, 4), axis=axis)
        m.plain(f"Put{k}", "ScatterElements", (2, 3, 4), Const(order), (2, 3, 4), axis=axis)
        m.plain(f"PutComputed{k}", "ScatterElements", (2, 3, 4), order, (2, 3, 4), axis=axis)
        for reduction in ("add", "mul", "max", "min"):
            m.plain(f"Put{reduction}{k}", "ScatterElements", (2, 3, 4), index, (2, 3, 2), axis=axis,
                    reduction=reduction)
    m.plain("PutWhole", "ScatterElements", draw.whole(np.int64, 0, 9, 4), ints(1, 1, -1),
            Const(np.array([5, 6, 7], np.int64)), reduction="add")
    rows = np.array([[0, 1], [1, -1], [0, 0]], np.int64)
    m.plain("Nd", "GatherND", (2, 3, 4), Const(rows))
    m.plain("NdComputed", "GatherND", (2, 3, 4), rows)
    m.plain("NdWhole", "GatherND", draw.whole(np.uint8, 0, 9, 2, 3), Const(rows))
    m.plain("NdBatch", "GatherND", (2, 3, 4), Const(np.array([[[0], [2]], [[1], [-1]]])), batch_dims=1)
    m.plain("NdBatchComputed", "GatherND", (2, 3, 4), np.array([[[0, 1]], [[2, 3]]]), batch_dims=1)
    m.plain("NdPut", "ScatterND", (2, 3, 4), Const(rows[:2]), (2, 4))
    m.plain("NdPutComputed", "ScatterND", (2, 3, 4), rows[:2], (2, 4))
    m.plain("NdPutOne", "ScatterND", (5,), Const(np.array([[4], [0]])), (2,))
    for reduction in ("add", "mul", "max", "min"):
        m.plain(f"NdPut{reduction}", "ScatterND", (2, 3, 4), np.array([[1], [1], [0]]), (3, 3, 4), reduction=reduction)
    for k, axis in enumerate((0, 1, -1)):
        m.plain(f"OneHot{k}", "OneHot", np.array([[0, -1, 3], [2, 7, -9]], np.int64), ints(4), reals(0.25, 2),
                axis=axis)
    m.plain("OneHotReal", "OneHot", np.array([0, 2, 1], F32), reals(3), reals(1, 7))
    m.plain("OneHotComputed", "OneHot", np.array([0, 2], np.int64), ints(3), np.array([0.5, -1], F32))
    for mode in ("DCR", "CRD"):
        m.plain(f"Space{mode}", "DepthToSpace", (2, 12, 3, 2), blocksize=2, mode=mode)
    m.plain("Depth", "SpaceToDepth", (2, 3, 4, 6), blocksize=2)
    for batch in (0, 1):
        lengths = np.array([3, 1, 4, 0][: 4 if batch else 3], np.int64)
        shape = (5, 4, 2) if batch else (3, 4, 2)
        m.plain(f"Reversed{batch}", "ReverseSequence", shape, lengths, batch_axis=batch, time_axis=1 - batch)
    m.plain("Indexed", "MaxPool", (1, 2, 6, 6), kernel_shape=[2, 2], strides=[2, 2], count=2)
    m.plain("IndexedTies", "MaxPool", np.round(draw.real(1, 2, 7, 5)), kernel_shape=[3, 2], strides=[2, 1],
            pads=[1, 0, 1, 1], count=2)
    m.plain("IndexedLine", "MaxPool", (2, 3, 9), kernel_shape=[3], dilations=[2], count=2)
    m.plain("IndexedColumns", "MaxPool", (1, 2, 4, 6), kernel_shape=[2, 3], strides=[2, 3], storage_order=1, count=2)
    m.plain("Unpool", "MaxUnpool", "Indexed_y0", "Indexed_y1", kernel_shape=[2, 2], strides=[2, 2])
    m.plain("Center", "CenterCropPad", (5, 6, 3), ints(8, 3), axes=[0, 1])
    m.plain("Columns", "Col2Im", (2, 12, 9), ints(4, 4), ints(2, 2))
    m.plain("ColumnsApart", "Col2Im", (1, 6, 9), ints(5, 7), ints(2, 3), strides=[2, 2], pads=[0, 1, 1, 0])


def contractions(m: Model) -> None:
    for k, (equation, *shapes) in enumerate((
        ("ij,jk->ik", (3, 4), (4, 5)), ("ij,kj->ik", (3, 4), (5, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
        ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4)), ("bhij,bhjd->bhid", (2, 2, 3, 4), (2, 2, 4, 5)),
        ("ij->ji", (3, 4)), ("ij->", (3, 4)), ("ii->i", (4, 4)), ("ii", (4, 4)), ("ij,ij->i", (3, 4), (3, 4)),
        ("i,j->ij", (3,), (4,)), ("...ij,...jk->...ik", (2, 5, 3, 4), (2, 5, 4, 2)), ("...i->...", (2, 3, 4)),
        ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("bqhd,bkhd->bhqk", (2, 3, 2, 4), (2, 5, 2, 4)),
        ("bhqk,bkhd->bqhd", (2, 2, 3, 5), (2, 5, 2, 4)), ("ijk,k->ij", (2, 3, 4), (4,)), ("ji,ik", (3, 4), (3, 5)),
        ("ab,cd->abcd", (2, 3), (2, 2)), ("nchw,oc->nohw", (1, 3, 2, 2), (4, 3)),
    )):
        if equation == "ji,ik":
            shapes = [(4, 3), (3, 5)]
        m.plain(f"Einsum{k}", "Einsum", *shapes, equation=equation)
    m.plain("EinsumConstant", "Einsum", (2, 3, 4), Const(draw.real(4, 5)), equation="btd,de->bte")


def signals(m: Model) -> None:
    m.opset = 17
    for k, n in enumerate((4, 8, 16, 32, 64, 10, 15)):
        for name, attributes in (("", {}), ("One", {"onesided": 1})):
            m.plain(f"Dft{k}{name}", "DFT", (2, n, 1), axis=1, **attributes)
        m.plain(f"Complex{k}", "DFT", (2, n, 2), axis=1)
        m.plain(f"Inverse{k}", "DFT", (2, n, 2), axis=1, inverse=1)
    m.plain("Middle", "DFT", (2, 8, 3, 1), axis=1)
    m.plain("MiddleOne", "DFT", (2, 8, 3, 1), axis=1, onesided=1)
    m.plain("MiddleComplex", "DFT", (2, 8, 3, 2), axis=1)
    m.plain("Padded", "DFT", (1, 11, 1), Const(np.array(16)), axis=1, onesided=1)
    m.plain("Cut", "DFT", (1, 11, 1), Const(np.array(8)), axis=1)
    m.plain("Frames", "STFT", (2, 40, 1), Const(np.array(7, np.int64)), Const(np.hanning(16).astype(F32)))
    m.plain("FramesWhole", "STFT", (1, 40, 1), Const(np.array(8, np.int64)), Const(np.hanning(16).astype(F32)),
            onesided=0)
    m.plain("FramesBare", "STFT", (1, 40, 1), Const(np.array(8, np.int64)), None, Const(np.array(16, np.int64)))
    m.plain("FramesOdd", "STFT", (1, 40, 1), Const(np.array(5, np.int64)), Const(np.hanning(12).astype(F32)))
    grams = {"max_gram_length": 3, "max_skip_count": 2, "ngram_counts": [0, 3, 7],
             "ngram_indexes": [0, 2, 1, 5, 4, 3], "pool_int64s": [2, 3, 5, 5, 6, 7, 8, 6, 7, 8]}
    words = draw.whole(np.int64, 2, 8, 3, 12)
    for mode in ("TF", "IDF", "TFIDF"):
        m.plain(f"Words{mode}", "TfIdfVectorizer", words, mode=mode, min_gram_length=1,
                weights=[0.5, 1.5, 2.0, 0.25, 3.0, 1.0], **grams)
    m.plain("Pairs", "TfIdfVectorizer", words[0].astype(np.int32), mode="TF", min_gram_length=2, **grams)


def tables(m: Model) -> None:
    """Constants beside a computed value, since a model needs one."""
    m.opset = 20
    for op in ("HannWindow", "HammingWindow", "BlackmanWindow"):
        for periodic in (0, 1):
            m.plain(f"{op}{periodic}", op, Const(np.array(12, np.int64)), periodic=periodic)
    whole = (Const(np.array(v, np.int64)) for v in (8, 64, 8000))
    m.plain("Mel", "MelWeightMatrix", *whole, Const(np.array(20, F32)), Const(np.array(3800, F32)))
    m.plain("Computed", "Neg", (3,))


# -- against the NumPy evaluation ---------------------------------------------------------------------


def without_onnxruntime(m: Model) -> None:
    m.opset = 28
    m.plain("Bits", "BitCast", draw.real(3, 4), to=6)
    m.plain("BitsBack", "BitCast", draw.whole(np.int64, -9, 9, 5), to=11)
    for axis in (0, 1):
        for exclusive, reverse in ((0, 0), (1, 0), (0, 1), (1, 1)):
            m.plain(f"Product{axis}{exclusive}{reverse}", "CumProd", (3, 4), Const(np.array(axis, np.int64)),
                    exclusive=exclusive, reverse=reverse)
    m.plain("ProductAny", "CumProd", draw.whole(np.int32, -3, 3, 3, 4), np.array(-1, np.int32))
    m.plain("Cache", "TensorScatter", (2, 3, 5, 4), (2, 3, 2, 4), np.array([3, 1], np.int64))
    m.plain("CacheRing", "TensorScatter", (2, 3, 5, 4), (2, 3, 2, 4), np.array([4, 1], np.int64), mode="circular")
    m.plain("CacheFirst", "TensorScatter", (2, 5, 4), (2, 2, 4), axis=1)
    for name, group, moved in (("", 1, 1), ("Groups", 2, 2)):
        m.plain(f"Moved{name}", "DeformConv", (1, 4, 5, 5), Const(draw.real(4, 4 // group, 2, 2)),
                draw.between(-2, 2, 1, 8 * moved, 4, 4), Const(draw.real(4)), draw.between(0, 1, 1, 4 * moved, 4, 4),
                group=group, offset_group=moved)
    m.plain("MovedBare", "DeformConv", (2, 2, 4, 5), (3, 2, 3, 2), draw.between(-9, 9, 2, 12, 2, 3), strides=[2, 2],
            pads=[1, 0, 1, 1])
    for dtype in (np.int8, np.int16, np.int32, np.int64):
        x = draw.whole(dtype, -100, 100, 8)
        shift = np.array([0, 1, 3, 7, -1, 9, 33, 65], dtype)
        for direction in ("LEFT", "RIGHT"):
            m.plain(f"Shift{np.dtype(dtype).name}{direction}", "BitShift", x, shift, direction=direction)
    m.plain("Unpooled", "MaxUnpool", (1, 1, 2, 2), np.array([[[[5, 7], [13, 15]]]], np.int64), ints(1, 1, 5, 6),
            kernel_shape=[2, 2], strides=[2, 2])
    # Places that no integer holds: they are outside, or at the border.
    far = np.array([1e30, -1e30, 1e9, -1e9, 3.0, -3.0, np.inf, np.nan], F32).reshape(1, 2, 2, 2)
    for mode in ("nearest", "linear", "cubic"):
        for padding in ("zeros", "border"):
            m.plain(f"Far{mode}{padding}", "GridSample", (1, 1, 4, 4), far, mode=mode, padding_mode=padding)
    m.plain("LrnEven", "LRN", (1, 5, 3), size=4)
    axis = Const(np.array(1))
    m.plain("Half", "DFT", (2, 5, 2), None, axis, onesided=1, inverse=1)
    m.plain("HalfOdd", "DFT", (2, 5, 2), Const(np.array(9)), axis, onesided=1, inverse=1)
    m.plain("HalfLong", "DFT", (3, 9, 2), None, axis, onesided=1, inverse=1)
    for mode in ("linear", "cubic"):
        for name, size in (("Up", (7, 9)), ("Down", (3, 2))):
            m.plain(f"Antialias{mode}{name}", "Resize", (1, 2, 8, 6), None, None, ints(1, 2, *size), mode=mode,
                    antialias=1)
    for k, dtype in enumerate((np.uint8, np.int8, np.int32)):
        m.plain(f"Mixed{k}", "Resize", draw.whole(dtype, 0, 127, 1, 1, 3, 4), None, reals(1, 1, 2, 1.5), mode="linear")


def narrow_and_wide(m: Model) -> None:
    """Half and double precision."""
    for dtype in (np.float16, np.float64):
        label = np.dtype(dtype).name

        def make(*shape: int, dtype: type = dtype) -> np.ndarray:
            return draw.real(*shape).astype(dtype)

        m.plain(f"Resize_{label}", "Resize", make(1, 2, 4, 4), None, reals(1, 1, 2, 1.5), mode="linear")
        m.plain(f"Nearest_{label}", "Resize", make(1, 2, 4, 4), None, reals(1, 1, 2, 1.5), mode="nearest")
        m.plain(f"ConvTranspose_{label}", "ConvTranspose", make(1, 2, 3, 3), Const(make(2, 3, 2, 2)), Const(make(3)),
                strides=[2, 2])
        m.plain(f"GridSample_{label}", "GridSample", make(1, 2, 4, 4), make(1, 3, 3, 2), mode="cubic")
        m.plain(f"Instance_{label}", "InstanceNormalization", make(1, 2, 4), Const(make(2)), Const(make(2)))
        m.plain(f"Lrn_{label}", "LRN", make(1, 4, 3), size=3)
        m.plain(f"Norm_{label}", "LpNormalization", make(3, 4))
        m.plain(f"LpPool_{label}", "LpPool", make(1, 2, 4, 4), kernel_shape=[2, 2], p=3)
        m.plain(f"Top_{label}", "TopK", make(3, 5), ints(2), count=2)
        m.plain(f"Hardmax_{label}", "Hardmax", make(3, 5))
        m.plain(f"CumSum_{label}", "CumSum", make(3, 4), Const(np.array(1)))
        m.plain(f"Trilu_{label}", "Trilu", make(3, 4))
        m.plain(f"Einsum_{label}", "Einsum", make(3, 4), make(4, 5), equation="ij,jk->ki")
        m.plain(f"Put_{label}", "ScatterElements", make(3, 4), np.array([[1, 1]]), make(1, 2), reduction="add")
        m.plain(f"Det_{label}", "Det", make(3, 3))
        m.plain(f"Columns_{label}", "Col2Im", make(1, 4, 4), ints(3, 3), ints(2, 2))
        m.plain(f"Unpool_{label}", "MaxUnpool", make(1, 1, 2, 2), np.array([[[[0, 3], [8, 11]]]]), kernel_shape=[2, 2],
                strides=[2, 2])
        m.plain(f"Roi_{label}", "RoiAlign", make(1, 2, 5, 5), np.array([[0, 0, 3, 4]], dtype), np.array([0]),
                output_height=2, output_width=2)
        m.plain(f"Affine_{label}", "AffineGrid", make(1, 2, 3), ints(1, 1, 2, 3))
        m.plain(f"Dft_{label}", "DFT", make(1, 8, 1), None, Const(np.array(1)), onesided=1)
        m.plain(f"Stft_{label}", "STFT", make(1, 20, 1), Const(np.array(4)), Const(make(8)))
        m.plain(f"IsNaN_{label}", "IsNaN", make(3))
        m.plain(f"OneHot_{label}", "OneHot", np.array([0, 2]), ints(3), Const(make(2)))
        m.plain(f"Moved_{label}", "DeformConv", make(1, 1, 4, 4), Const(make(1, 1, 2, 2)), make(1, 8, 3, 3))
        m.plain(f"Space_{label}", "DepthToSpace", make(1, 4, 2, 2), blocksize=2)


def quantized(m: Model) -> None:
    same = {"scale": 0.05, "zero": 3}
    m.int8("Space", "DepthToSpace", Q((1, 8, 3, 2)), blocksize=2, **same)
    m.int8("Depth", "SpaceToDepth", Q((1, 2, 4, 6)), blocksize=2, **same)
    m.int8("Nearest", "Resize", Q((1, 3, 4, 5)), None, reals(1, 1, 2, 2), mode="nearest", **same)
    m.int8("NearestScaled", "Resize", Q((1, 3, 4, 5)), None, reals(1, 1, 0.5, 1.5), mode="nearest")
    m.int8("Linear", "Resize", Q((1, 3, 4, 5)), None, reals(1, 1, 2, 2), mode="linear", **same)
    m.int8("Cubic", "Resize", Q((1, 2, 6, 5)), None, reals(1, 1, 0.7, 1.6), mode="cubic", **same)
    m.int8("Elements", "GatherElements", Q((3, 4)), Const(np.array([[0, 1], [2, -1]])), axis=1, **same)
    m.int8("Nd", "GatherND", Q((3, 4)), Const(np.array([[0], [2]])), **same)


ORT: tuple[Callable[[Model], None], ...] = (
    resizing, transposed_convolutions, sampled_images, statistics, selections, picked_elements, contractions, signals,
    tables,
)
NUMPY: tuple[Callable[[Model], None], ...] = (without_onnxruntime, narrow_and_wide, quantized)
CORES = (transposed_convolutions, signals, quantized)


def model_of(group: Callable[[Model], None]) -> Model:
    """A group's model; the same every time."""
    draw.rng = np.random.default_rng(5)
    m = Model(group.__name__)
    group(m)
    return m
