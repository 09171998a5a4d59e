"""Makes the parity fixtures: what transformers, torch and peft compute for tiny models with seeded random weights.

Each case is a folder that a reimplementation can read alone: a Hugging Face config and weights, a batch of token ids,
and the logits, gradients and ten optimizer steps expected of it (README.md lists the files). All arithmetic is done in
double precision, except where transformers itself rounds to single (RMSNorm's statistics, the rotary table), and the
expected tensors are then stored as fp32. Running it twice gives the same bytes.

Usage: python make_fixtures.py OUT_FOLDER [--only CASE]
"""

import argparse
import json
import math
import shutil
from pathlib import Path

import numpy
import peft
import torch
import torch.nn.functional as F
import transformers
from transformers.utils import logging as transformers_logging
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, get_linear_schedule_with_warmup
from transformers.trainer_pt_utils import get_parameter_names

VOCAB = 64
LENGTHS = (7, 12, 5)
STEPS, WARMUP = 10, 3
LR, BETAS, EPS, DECAY, CLIP = 1e-3, (0.9, 0.999), 1e-8, 0.01, 1.0
# A gradient that is zero by algebra (a key's bias outside the rotary part moves all scores of a row alike) but not bit by
# bit: Adam divides the rounding noise by its own size, so such elements end up anywhere and nobody can be held to them.
CANCELLED = 1e-12
GREEDY_PREFIX, GREEDY_TOKENS = 4, 12
# The name patterns of transformers.Trainer.get_decay_parameter_names, which is a method of an object we do not build.
NO_DECAY = [r"bias", r"layernorm", r"rmsnorm", r"(?:^|\.)norm(?:$|\.)", r"_norm(?:$|\.)"]

NEOX = dict(
    architectures=["GPTNeoXForCausalLM"],
    model_type="gpt_neox",
    vocab_size=VOCAB,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=64,
    hidden_act="gelu",
    layer_norm_eps=1e-5,
    max_position_embeddings=64,
    bos_token_id=0,
    eos_token_id=0,
    tie_word_embeddings=False,
    use_parallel_residual=True,
    initializer_range=0.02,
)
LLAMA = dict(
    architectures=["LlamaForCausalLM"],
    model_type="llama",
    vocab_size=VOCAB,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    hidden_act="silu",
    rms_norm_eps=1e-5,
    max_position_embeddings=64,
    bos_token_id=0,
    eos_token_id=0,
    tie_word_embeddings=False,
    attention_bias=False,
    mlp_bias=False,
    initializer_range=0.02,
)
# As EleutherAI/gpt-j-6b publishes it: n_inner null is 4 * n_embd, and fields that transformers no longer reads are there.
GPTJ = dict(
    architectures=["GPTJForCausalLM"],
    model_type="gptj",
    vocab_size=VOCAB,
    n_embd=32,
    n_layer=2,
    n_head=4,
    n_inner=None,
    n_positions=64,
    rotary=True,
    rotary_dim=4,
    activation_function="gelu_new",
    layer_norm_epsilon=1e-5,
    attn_pdrop=0.0,
    embd_pdrop=0.0,
    resid_pdrop=0.0,
    scale_attn_weights=True,
    gradient_checkpointing=False,
    summary_type="cls_index",
    bos_token_id=0,
    eos_token_id=0,
    tie_word_embeddings=False,
    initializer_range=0.02,
)
QWEN = {k: v for k, v in LLAMA.items() if k not in ("attention_bias", "mlp_bias")} | dict(
    rms_norm_eps=1e-6,
    tie_word_embeddings=True,
    use_sliding_window=False,
    sliding_window=64,
    max_window_layers=2,
    attention_dropout=0.0,
)
QWEN2 = QWEN | dict(architectures=["Qwen2ForCausalLM"], model_type="qwen2", rope_theta=1000000.0)
QWEN3 = QWEN | dict(
    architectures=["Qwen3ForCausalLM"],
    model_type="qwen3",
    attention_bias=False,
    head_dim=16,
    sliding_window=None,
    rope_theta=1000000.0,
)
# Both ways a config says the same thing: rotary_pct / rotary_emb_base / rope_theta as the published models do, and
# rope_parameters as transformers 5 saves it.
OLD_ROTARY = dict(rotary_pct=0.25, rotary_emb_base=10000)
LLAMA_TARGETS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
NEOX_TARGETS = ["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"]
GPTJ_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc_in", "fc_out"]

CASES = {
    "neox-parallel": dict(seed=11, config=NEOX | OLD_ROTARY),
    "neox-sequential": dict(
        seed=20,
        config=NEOX
        | dict(
            use_parallel_residual=False,
            hidden_act="gelu_new",
            tie_word_embeddings=True,
            num_hidden_layers=3,
            rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=1.0),
        ),
    ),
    "neox-lora": dict(
        seed=16, config=NEOX | OLD_ROTARY, lora=dict(r=4, lora_alpha=8, target_modules=NEOX_TARGETS)
    ),
    "llama-gqa": dict(seed=21, config=LLAMA | dict(rope_theta=100000.0, num_hidden_layers=3)),
    "llama-tied": dict(
        seed=36,
        config=LLAMA
        | dict(
            num_key_value_heads=1,
            tie_word_embeddings=True,
            attention_bias=True,
            mlp_bias=True,
            head_dim=16,
            rope_theta=10000.0,
        ),
    ),
    "llama-lora": dict(
        seed=123,
        config=LLAMA | dict(rope_theta=10000.0),
        lora=dict(r=4, lora_alpha=8, target_modules=LLAMA_TARGETS),
    ),
    "llama-lora-tokens": dict(
        seed=228,
        config=LLAMA | dict(rope_theta=100000.0, tie_word_embeddings=True),
        lora=dict(r=4, lora_alpha=8, target_modules=LLAMA_TARGETS, trainable_token_indices=[60, 61, 62]),
    ),
    "mistral": dict(
        seed=31,
        config={k: v for k, v in LLAMA.items() if k not in ("attention_bias", "mlp_bias")}
        | dict(
            architectures=["MistralForCausalLM"],
            model_type="mistral",
            sliding_window=None,
            rope_parameters=dict(rope_type="default", rope_theta=1000000.0),
            head_dim=8,
        ),
    ),
    "gptj": dict(seed=41, config=GPTJ),
    "gptj-lora-tokens": dict(
        seed=46,
        config=GPTJ,
        lora=dict(
            r=4,
            lora_alpha=8,
            target_modules=GPTJ_TARGETS,
            trainable_token_indices={"wte": [60, 61, 62], "lm_head": [60, 61, 62]},
        ),
    ),
    "qwen2": dict(seed=58, config=QWEN2),
    "qwen3": dict(
        seed=45,
        config=QWEN3 | dict(tie_word_embeddings=False, layer_types=["full_attention", "full_attention"]),
    ),
    "qwen3-lora": dict(
        seed=45, config=QWEN3, lora=dict(r=4, lora_alpha=8, target_modules=LLAMA_TARGETS)
    ),
}


def published(name, model_type):
    """The name a parameter has in the model's published files; transformers 5 renames GPT-NeoX's head in memory."""
    return name.replace("lm_head.", "embed_out.") if model_type == "gpt_neox" else name


def randomise(model, seed):
    """Every parameter random, norms and biases too, so that ignoring any of them shows."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        value = torch.randn(p.shape, generator=generator)
        if p.ndim == 1:
            value = (0.0 if name.endswith("bias") else 1.0) + 0.1 * value
        else:
            # Small where tied: else a row's product with itself decides and every model repeats its last id.
            wide = ("embed" in name or "wte" in name or "lm_head" in name) and not model.config.tie_word_embeddings
            value = (0.3 if wide else 0.15) * value
        p.data.copy_(value)


def make_batch(seed, must_use=()):
    """Three sequences; the first ids are a prompt, the second sequence also has an untrained hole (two turns)."""
    rng = numpy.random.default_rng(seed)
    sequences = []
    for row, length in enumerate(LENGTHS):
        ids = rng.integers(1, VOCAB - 4, size=length).tolist()
        trained = [0] * 3 + [1] * (length - 3)
        if row == 1:
            trained[7] = trained[8] = 0
        if must_use:  # one added token in the prompt, one as a target: input and output side of the row are both used
            ids[1] = must_use[row % len(must_use)]
            ids[-1] = must_use[(row + 1) % len(must_use)]
        sequences.append({"ids": ids, "trained": trained})
    return sequences


def added_tokens(lora):
    indices = (lora or {}).get("trainable_token_indices", ())
    return next(iter(indices.values())) if isinstance(indices, dict) else indices


def keep_head_bias(model):
    """PEFT (0.21) computes a head with trained token rows without the head's bias, which GPT-J has: put back."""
    for name, module in model.named_modules():
        if name.endswith("lm_head.token_adapter") and module.base_layer.bias is not None:
            module.register_forward_hook(lambda m, _, output: output + m.base_layer.bias)


def forward(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0]


def batch_loss(model, sequences):
    """Sum of the cross-entropy over trained targets / their count in the whole batch; position t predicts id t+1."""
    total, count = 0.0, 0
    for s in sequences:
        logits = forward(model, s["ids"])
        targets = torch.tensor(s["ids"][1:])
        keep = torch.tensor(s["trained"][1:], dtype=torch.bool)
        total = total + F.cross_entropy(logits[:-1][keep], targets[keep], reduction="sum")
        count += int(keep.sum())
    return total / count, count


def greedy(model, prefix):
    ids = list(prefix)
    smallest_lead = math.inf
    for _ in range(GREEDY_TOKENS):
        best = forward(model, ids)[-1].topk(2)
        smallest_lead = min(smallest_lead, float(best.values[0] - best.values[1]))
        ids.append(int(best.indices[0]))
    if smallest_lead < 0.01:
        raise SystemExit(f"greedy choice decided by {smallest_lead}: take another seed")
    if len(set(ids[len(prefix) :])) < 5:
        raise SystemExit("greedy answer repeats itself: take another seed")
    return ids[len(prefix) :]


def write_json(path, value):
    """One member a line: short diffs, short files."""
    members = (f" {json.dumps(k)}: {json.dumps(value[k])}" for k in sorted(value))
    path.write_text("{\n" + ",\n".join(members) + "\n}\n")


def rounded(x):
    return float(f"{x:.10g}")


def save_adapter(model, folder):
    """As peft saves it, but for what differs from run to run: the model card, the base's path, the order of a set."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = None
    config["target_modules"] = sorted(config["target_modules"])
    write_json(path, config)


def saved_names(model):
    """Trainable parameter -> the key peft's file has for the same tensor."""
    by_storage = {t.data_ptr(): key for key, t in get_peft_model_state_dict(model).items()}
    return {name: by_storage[p.data_ptr()] for name, p in model.named_parameters() if p.requires_grad}


def make_case(folder, case):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / "config.json", case["config"])
    model_type = case["config"]["model_type"]

    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(folder), dtype=torch.float32)
    randomise(model, case["seed"])
    weights = {published(n, model_type): p.data.contiguous() for n, p in model.named_parameters()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    # Reading the files back proves that they are complete: the numbers come from them and not from the object above.
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise SystemExit(f"{folder.name}: {info}")

    lora = case.get("lora")
    if lora:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **lora))
        generator = torch.Generator().manual_seed(case["seed"] + 1000)
        for name, p in model.named_parameters():
            if p.requires_grad:
                p.data.copy_(0.15 * torch.randn(p.shape, generator=generator))
        save_adapter(model, folder / "adapter")
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        model = PeftModel.from_pretrained(base, folder / "adapter", is_trainable=True)
        keep_head_bias(model)
    model = model.double().train()

    sequences = make_batch(case["seed"] + 2000, added_tokens(lora))
    write_json(folder / "batch.json", {"sequences": sequences})

    parameters = {n: p for n, p in model.named_parameters() if p.requires_grad}
    names = saved_names(model) if lora else {n: published(n, model_type) for n in parameters}
    decayed = set(get_parameter_names(model, [torch.nn.LayerNorm], NO_DECAY))

    tensors = {}
    with torch.no_grad():
        for i, s in enumerate(sequences):
            tensors[f"logits.{i}"] = forward(model, s["ids"])
        continuation = greedy(model, sequences[0]["ids"][:GREEDY_PREFIX])

    optimizer = torch.optim.AdamW(
        [
            {"params": [p for n, p in parameters.items() if n in decayed], "weight_decay": DECAY},
            {"params": [p for n, p in parameters.items() if n not in decayed], "weight_decay": 0.0},
        ],
        lr=LR,
        betas=BETAS,
        eps=EPS,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, lrs, norms = [], [], []
    cancelled = {n: set() for n in parameters}
    for step in range(STEPS):
        optimizer.zero_grad()
        loss, count = batch_loss(model, sequences)
        loss.backward()
        if step == 0:
            for n, p in parameters.items():
                if p.grad is None or float(p.grad.abs().max()) == 0.0:
                    raise SystemExit(f"{folder.name}: {n} has no gradient")
                tensors[f"grad.{names[n]}"] = p.grad.clone()
        for n, p in parameters.items():
            noise = (p.grad != 0) & (p.grad.abs() < CANCELLED)
            cancelled[n].update(noise.flatten().nonzero().flatten().tolist())
        losses.append(rounded(loss.item()))
        lrs.append(rounded(optimizer.param_groups[0]["lr"]))
        norms.append(rounded(torch.nn.utils.clip_grad_norm_(parameters.values(), CLIP).item()))
        optimizer.step()
        schedule.step()
    for n, p in parameters.items():
        tensors[f"final.{names[n]}"] = p.data

    save_file(
        {k: t.detach().to(torch.float32).contiguous() for k, t in tensors.items()},
        folder / "expected.safetensors",
        metadata={"format": "pt"},
    )
    write_json(
        folder / "expected.json",
        {
            "loss": losses[0],
            "count": count,
            "losses": losses,
            "lrs": lrs,
            "grad_norms": norms,
            "greedy": continuation,
            "undetermined": {names[n]: sorted(c) for n, c in cancelled.items() if c},
            "decayed": sorted(names[n] for n in parameters if n in decayed),
            "training": {
                "steps": STEPS,
                "warmup_steps": WARMUP,
                "lr": LR,
                "betas": BETAS,
                "eps": EPS,
                "weight_decay": DECAY,
                "max_grad_norm": CLIP,
                "schedule": "linear",
            },
            "versions": {
                "torch": torch.__version__.split("+")[0],
                "transformers": transformers.__version__,
                "peft": peft.__version__,
            },
        },
    )
    return losses, norms, float(load_file(folder / "expected.safetensors")["logits.1"].std())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--only")
    args = parser.parse_args()
    torch.set_num_threads(1)
    transformers_logging.disable_progress_bar()
    torch.use_deterministic_algorithms(True)
    for name, case in CASES.items():
        if args.only in (None, name):
            losses, norms, spread = make_case(args.out / name, case)
            print(f"{name}: loss {losses[0]:.4f} -> {losses[-1]:.4f}, norm {norms[0]:.3f}, logits std {spread:.2f}")


if __name__ == "__main__":
    main()
