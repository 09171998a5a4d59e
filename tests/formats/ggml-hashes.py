"""Prints the hashes that ggml.test.ts expects: pseudo-random blocks, dequantised by llama.cpp's own Python package.

Run with: pip install gguf==0.19.0 numpy, then python ggml-hashes.py
"""

import hashlib

import gguf
import numpy as np

# Bytes of a block, and the upper bytes of its float16 scales, which are kept small and finite.
BLOCKS = {"Q4_0": (18, [1]), "Q4_1": (20, [1, 3]), "Q5_0": (22, [1]), "Q5_1": (24, [1, 3]), "Q8_0": (34, [1]), "Q6_K": (210, [209])}

for name, (size, scales) in BLOCKS.items():
    state = 1
    data = np.empty(64 * size, np.uint8)
    for i in range(len(data)):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        data[i] = state >> 24
        if i % size in scales:
            data[i] = (data[i] & 0x83) | 0x28
    values = gguf.dequantize(data.reshape(1, -1), gguf.GGMLQuantizationType[name]).astype("<f4")
    print(name, hashlib.sha256(values.tobytes()).hexdigest())
