"""Writes a Pythia-shaped GPT-NeoX model with seeded random weights, so that the benchmark needs no download.

The speed of a training step does not depend on the weights' values. Shapes as in the published Pythia configs; the
initialisation is transformers' own (normal, std 0.02; norms 1 and 0).

Usage: python make_model.py --size 70m --out DIR
"""

import argparse
import json
from pathlib import Path

import torch
from transformers import AutoConfig, AutoModelForCausalLM

# layers, hidden, heads, context
SIZES = {"14m": (6, 128, 4, 512), "70m": (6, 512, 8, 2048), "160m": (12, 768, 12, 2048)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=42)
    args = parser.parse_args()

    layers, hidden, heads, context = SIZES[args.size]
    args.out.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["GPTNeoXForCausalLM"],
        "model_type": "gpt_neox",
        "vocab_size": 50304,
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": 4 * hidden,
        "hidden_act": "gelu",
        "rotary_pct": 0.25,
        "rotary_emb_base": 10000,
        "layer_norm_eps": 1e-5,
        "max_position_embeddings": context,
        "initializer_range": 0.02,
        "use_parallel_residual": True,
        "tie_word_embeddings": False,
        "use_cache": True,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    text = json.dumps(config, indent=1)
    (args.out / "config.json").write_text(text)
    torch.manual_seed(args.seed)
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(args.out), dtype=torch.float32)
    model.save_pretrained(args.out)
    (args.out / "config.json").write_text(text)  # save_pretrained rewrote it in its own dialect
    (args.out / "generation_config.json").unlink(missing_ok=True)
    print(json.dumps({"size": args.size, "parameters": model.num_parameters(), "seed": args.seed}))


if __name__ == "__main__":
    main()
