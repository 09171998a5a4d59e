"""Makes tests/fixtures/pytorch/neox-adapter: a LoRA adapter of neox/ as PEFT publishes one, a folder without anything of ours.

adapter_model.bin and adapter_model.safetensors hold the same tensors. expected.json has the logits of PEFT's own forward pass in
double precision. Seeded: the same bytes on every run.

Usage: python make_adapter.py OUT_FOLDER        (OUT_FOLDER/neox must be there; transformers and peft as in ../parity)
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import peft
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file

IDS = [1, 40, 300, 7, 7, 443, 260, 12]


def base(folder):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return model.double().eval()


def main(out):
    torch.manual_seed(11)
    neox, target = out / "neox", out / "neox-adapter"
    target.mkdir(exist_ok=True)
    config = LoraConfig(task_type="CAUSAL_LM", r=3, lora_alpha=7, lora_dropout=0.1, target_modules=["query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"])
    model = get_peft_model(base(neox), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(torch.rand_like(parameter) - 0.5)
    model.to(torch.float32)
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        weights = Path(folder) / "adapter_model.safetensors"
        shutil.copy(weights, target)
        torch.save(load_file(weights), target / "adapter_model.bin")
        settings = json.loads((Path(folder) / "adapter_config.json").read_text())
        settings["base_model_name_or_path"] = "owner/neox"
        settings["target_modules"] = sorted(settings["target_modules"])
        (target / "adapter_config.json").write_text(json.dumps(settings, indent=1, sort_keys=True) + "\n")
        model = PeftModel.from_pretrained(base(neox), folder).double().eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([IDS])).logits[0]
    versions = dict(torch=torch.__version__, transformers=transformers.__version__, peft=peft.__version__)
    (target / "expected.json").write_text(json.dumps(dict(ids=IDS, last_logits=[round(x, 9) for x in logits[-1].tolist()], versions=versions)) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
