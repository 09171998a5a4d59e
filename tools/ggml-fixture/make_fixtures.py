"""Makes tests/fixtures/ggml/llamacpp.json: what llama.cpp makes of seeded blocks and rows, for the tests of src/formats.

    python -m venv venv && venv/bin/pip install gguf==0.19.0 numpy==2.4.6
    npm install --ignore-scripts @node-llama-cpp/linux-x64@3.21.1     # in an empty folder; no dependency of the project
    venv/bin/python make_fixtures.py LIBRARY ../../tests/fixtures/ggml/llamacpp.json

LIBRARY is libggml-base.so of that npm package: llama.cpp's quantisers as C compiled for x86-64 without fused
multiply-add, which rounds after every operation. Two sources on purpose: `gguf` is llama.cpp's quantisers written again
in Python; where it has a type, both must agree or nothing is written.

    dequantised  type -> SHA-256 of the float32 values of 64 pseudo-random blocks, which the test makes again
    rows         base64 of float32 rows of 256 values, one kind of numbers each
    quantised    type -> base64 of the rows as blocks
    many         type -> SHA-256 of 2048 pseudo-random rows as blocks, which the test makes again: most roundings in the
                 quantisers change a byte only once in thousands of rows
"""

import base64
import ctypes
import hashlib
import json
import sys

import gguf
import numpy as np

# Bytes of a block, and the upper bytes of its float16 scales, which are kept small and finite.
BLOCKS = {
    "Q4_0": (18, [1]),
    "Q4_1": (20, [1, 3]),
    "Q5_0": (22, [1]),
    "Q5_1": (24, [1, 3]),
    "Q8_0": (34, [1]),
    "Q2_K": (84, [81, 83]),
    "Q3_K": (110, [109]),
    "Q4_K": (144, [1, 3]),
    "Q5_K": (176, [1, 3]),
    "Q6_K": (210, [209]),
    "IQ4_NL": (18, [1]),
    "IQ4_XS": (136, [1]),
}
WRITTEN = ["F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
IN_PYTHON = WRITTEN[:7]


def blocks(size, scales):
    state = 1
    data = np.empty(64 * size, np.uint8)
    for i in range(len(data)):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        data[i] = state >> 24
        if i % size in scales:
            data[i] = (data[i] & 0x83) | 0x28
    return data


def rows():
    random = np.random.default_rng(2023)
    normal = lambda: random.standard_normal(256)
    return np.stack([
        normal() * 0.02,
        random.laplace(size=256),
        abs(normal()),
        -abs(normal()) - 0.5,
        np.repeat(random.uniform(-2, 2, 8), 32) + normal() * 0.01,
        np.repeat(random.uniform(-2, 2, 8), 32),
        np.round(normal() * 8) / 2,
        normal() * (random.random(256) < 0.05) + 0.0,  # no negative zeros: the two sources keep different ones as a minimum
        np.where(np.arange(256) == 77, 300.0, normal() * 0.1),
        normal() * np.repeat(10.0 ** np.arange(-6, 2), 32),
        np.sign(normal()) * 10.0 ** random.uniform(-9, 3, 256),
        normal() * 1e-40,
        np.zeros(256),
    ]).astype("<f4")


def many_rows():
    """2048 rows of eight kinds, out of whole numbers of 24 bits so that any language makes the same float32 values."""
    out = np.empty((2048, 256), np.float64)
    state = 1
    for row in range(2048):
        kind = row % 8
        for i in range(256):
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            whole = (state >> 8) - 2**23
            state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
            other = state >> 8
            if kind == 1:
                whole = abs(whole)
            elif kind == 2:
                whole = (whole >> 17) * 2**17
            elif kind == 3:
                whole = whole * other / 2**24
            elif kind == 4:
                whole = -(2**23) - (other >> 10)
            elif kind == 5:
                whole = whole / 2 ** (i >> 5)
            elif kind == 6:
                whole = whole * (other >> 12) ** 2 / 2**24
            elif kind == 7 and other % 16 > 0:
                whole = 0
            out[row, i] = whole / 2**24
    return out.astype("<f4")


def quantise_c(library, name, values):
    size, values_of_block = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[name]][::-1]
    out = np.zeros(values.size // values_of_block * size, np.uint8)
    library.ggml_quantize_chunk(
        int(gguf.GGMLQuantizationType[name]), values.ctypes.data, out.ctypes.data,
        ctypes.c_int64(0), ctypes.c_int64(values.shape[0]), ctypes.c_int64(values.shape[1]), None,
    )
    return out


def quantise(library, name, values):
    in_c = quantise_c(library, name, values)
    if name in IN_PYTHON:
        with np.errstate(all="ignore"):  # 1 / scale overflows in the row of subnormals
            in_python = gguf.quantize(values, gguf.GGMLQuantizationType[name]).view(np.uint8).reshape(-1)
        differ = np.flatnonzero(in_c != in_python)
        assert differ.size == 0, f"{name}: C and Python differ at bytes {differ[:20]} of {in_c.size}"
    return in_c


def text(array):
    return base64.b64encode(array.tobytes()).decode()


def main(library_path, out_path):
    library = ctypes.CDLL(library_path)
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]

    dequantised = {}
    for name, (size, scales) in BLOCKS.items():
        data = blocks(size, scales)
        result = gguf.dequantize(data.reshape(1, -1), gguf.GGMLQuantizationType[name]).astype("<f4")
        in_c = np.empty(result.size, np.float32)
        c_name = name.lower() if name.startswith("IQ") else name.replace("Q", "q")
        getattr(library, f"dequantize_row_{c_name}")(
            ctypes.c_void_p(data.ctypes.data), ctypes.c_void_p(in_c.ctypes.data), ctypes.c_int64(in_c.size)
        )
        assert in_c.tobytes() == result.tobytes(), f"{name}: C and Python read differently"
        dequantised[name] = hashlib.sha256(result.tobytes()).hexdigest()

    values, many_values = rows(), many_rows()
    quantised = {name: text(quantise(library, name, values)) for name in WRITTEN}
    many = {name: hashlib.sha256(quantise(library, name, many_values).tobytes()).hexdigest() for name in WRITTEN}

    versions = {"gguf": "0.19.0", "numpy": np.__version__, "@node-llama-cpp/linux-x64": "3.21.1"}
    with open(out_path, "w") as file:
        json.dump({"made_by": "tools/ggml-fixture/make_fixtures.py", "versions": versions, "dequantised": dequantised, "rows": text(values), "quantised": quantised, "many": many}, file, indent=1)
        file.write("\n")


main(*sys.argv[1:])
