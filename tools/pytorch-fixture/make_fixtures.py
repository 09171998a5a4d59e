"""Makes tests/fixtures/pytorch: small files of weights as torch.save writes them, and the values that are in them.

expected.json has, by file or folder, each tensor's type (safetensors' name), shape and values, and the versions used.
neox/ is a tiny GPT-NeoX with random weights, its causal masks stored as older transformers did, twice: as
pytorch_model.bin and as model.safetensors. Seeded: the same bytes on every run, but for old-format.bin, whose keys are addresses.

Usage: python make_fixtures.py OUT_FOLDER
"""

import json
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import safetensors
import torch
from safetensors.torch import save_file

DTYPES = {
    torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64", torch.int64: "I64", torch.int32: "I32",
    torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL",
}
LAYERS, HIDDEN, HEADS, VOCAB, CONTEXT = 2, 8, 2, 448, 32


def described(state):
    """Values as numbers that JSON holds exactly: every half, bfloat16 and float is a double."""
    return {
        name: {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "values": t.detach().double().flatten().tolist() if t.is_floating_point() else None}
        for name, t in state.items()
    }


def cases():
    yield "f32", {"weight": torch.randn(3, 4), "bias": torch.randn(4), "scalar": torch.tensor(-1e9), "none": torch.zeros(0, 4)}, {}
    yield "f16", {"weight": torch.randn(3, 4).half(), "odd": torch.tensor([65504.0, 6e-8, -0.0]).half()}, {}
    yield "bf16", {"weight": torch.randn(3, 4).bfloat16()}, {}
    shared = torch.randn(4, 3)
    yield "tied", {"embed.weight": shared, "head.weight": shared}, {}
    pool = torch.arange(24, dtype=torch.float32)
    yield "views", {"first": pool[:6].view(2, 3), "second": pool[6:14].view(2, 2, 2), "rows": pool.view(6, 4)[2:4], "one": pool[20:21].view(1, 1, 1), "across": pool[:6].view(2, 3).t()}, {}
    layer = torch.nn.Linear(3, 2)
    yield "parameter", OrderedDict(layer.named_parameters()), {}
    # What nn.Module.state_dict gives: an OrderedDict with _metadata.
    yield "module", torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict(), {}
    yield "protocol4", torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2)).state_dict(), {"pickle_protocol": 4}
    yield "protocol5", {"weight": torch.randn(2, 2)}, {"pickle_protocol": 5}
    masks = {
        "attn.bias": torch.tril(torch.ones(4, 4, dtype=torch.uint8)).view(1, 1, 4, 4), "attn.mask": torch.tril(torch.ones(4, 4, dtype=torch.bool)), "attn.masked_bias": torch.tensor(-1e9),
        "position_ids": torch.arange(5).expand((1, -1)), "count": torch.tensor([3], dtype=torch.int32), "double": torch.randn(2).double(), "i8": torch.ones(2, dtype=torch.int8),
        "i16": torch.ones(2, dtype=torch.int16),
    }
    yield "buffers", masks, {}


def neox():
    def uniform(*shape):
        return torch.rand(*shape) - 0.5

    state = OrderedDict()
    state["gpt_neox.embed_in.weight"] = uniform(VOCAB, HIDDEN)
    for i in range(LAYERS):
        block = f"gpt_neox.layers.{i}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            state[f"{block}{norm}.weight"] = 1 + 0.1 * uniform(HIDDEN)
            state[f"{block}{norm}.bias"] = 0.1 * uniform(HIDDEN)
        state[f"{block}attention.bias"] = torch.tril(torch.ones(CONTEXT, CONTEXT, dtype=torch.bool)).view(1, 1, CONTEXT, CONTEXT)
        state[f"{block}attention.masked_bias"] = torch.tensor(-1e9)
        state[f"{block}attention.rotary_emb.inv_freq"] = 1.0 / (10000 ** (torch.arange(0, 2, 2).float() / 2))
        for name, out, width in (("attention.query_key_value", 3 * HIDDEN, HIDDEN), ("attention.dense", HIDDEN, HIDDEN), ("mlp.dense_h_to_4h", 2 * HIDDEN, HIDDEN), ("mlp.dense_4h_to_h", HIDDEN, 2 * HIDDEN)):
            state[f"{block}{name}.weight"] = uniform(out, width)
            state[f"{block}{name}.bias"] = 0.1 * uniform(out)
    state["gpt_neox.final_layer_norm.weight"] = 1 + 0.1 * uniform(HIDDEN)
    state["gpt_neox.final_layer_norm.bias"] = 0.1 * uniform(HIDDEN)
    state["embed_out.weight"] = uniform(VOCAB, HIDDEN)
    config = dict(
        model_type="gpt_neox", hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=2 * HIDDEN, vocab_size=VOCAB, max_position_embeddings=CONTEXT,
        rotary_pct=0.5, hidden_act="gelu", use_parallel_residual=True, tie_word_embeddings=False, torch_dtype="float16",
    )
    return OrderedDict((name, t.half() if t.is_floating_point() else t) for name, t in state.items()), config


def drop_debug_entries(path):
    """They hold paths of the machine."""
    with zipfile.ZipFile(path) as archive:
        kept = [(info, archive.read(info)) for info in archive.infolist() if not info.filename.endswith(".debug_pkl")]
    with zipfile.ZipFile(path, "w") as archive:
        for info, data in kept:
            archive.writestr(info, data)


def main(out):
    torch.manual_seed(7)
    out.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, state, options in cases():
        torch.save(state, out / f"{name}.bin", **options)
        expected[name] = described(state)

    shards = {"pytorch_model-00001-of-00002.bin": {"a.weight": torch.randn(2, 3), "a.bias": torch.randn(3)}, "pytorch_model-00002-of-00002.bin": {"b.weight": torch.randn(3, 2).half()}}
    (out / "sharded").mkdir(exist_ok=True)
    for name, state in shards.items():
        torch.save(state, out / "sharded" / name)
    index = {"metadata": {"total_size": 48}, "weight_map": {tensor: name for name, state in shards.items() for tensor in state}}
    (out / "sharded" / "pytorch_model.bin.index.json").write_text(json.dumps(index, indent=1) + "\n")
    expected["sharded"] = described({tensor: t for state in shards.values() for tensor, t in state.items()})

    torch.save({"weight": torch.randn(2, 2)}, out / "old-format.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), out / "whole-module.bin")
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)), out / "torchscript.bin")
    drop_debug_entries(out / "torchscript.bin")

    state, config = neox()
    (out / "neox").mkdir(exist_ok=True)
    (out / "neox" / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    torch.save(state, out / "neox" / "pytorch_model.bin")
    save_file(dict(state), out / "neox" / "model.safetensors", metadata={"format": "pt"})

    versions = {"torch": torch.__version__.split("+")[0], "safetensors": safetensors.__version__, "python": sys.version.split()[0]}
    (out / "expected.json").write_text(json.dumps({"versions": versions, "files": expected}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
