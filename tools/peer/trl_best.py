"""Peer (b): the fastest honest set-up of TRL's SFTTrainer that we found for a CPU in fp32 (README.md: measurements).

Same rows in every optimizer step as the other sides. --micro-batch rows at a time (the rest of the step is gradient
accumulation, which TRL normalises by the token count of the whole step), each either padded or --padding-free.
TRL's chunked loss is its default; on a CPU it projects every position, see README.md and --compact.
"""

import time

BEGAN = time.perf_counter()

import tempfile

import common
import torch
import trl.trainer.utils as trl_utils
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast, set_seed
from trl import SFTConfig, SFTTrainer

IMPORTED = time.perf_counter() - BEGAN


class BestTrainer(common.Recorder, SFTTrainer):
    positions = 0

    def compute_loss(self, model, inputs, *a, **k):
        self.positions += inputs["input_ids"].numel()
        return super().compute_loss(model, inputs, *a, **k)


def main():
    parser = common.parser(__doc__.splitlines()[0], "log")
    parser.add_argument("--micro-batch", type=int, default=1, help="rows in one forward pass")
    parser.add_argument("--padding-free", action="store_true", help="flatten a micro-batch into one sequence")
    parser.add_argument("--order", choices=["given", "sorted"], default="given",
                        help="of the rows within a step: as in the file, or by length (less padding in micro-batches)")
    parser.add_argument("--compact", action="store_true",
                        help="score only labelled positions, which the library does on Triton devices only (a patch)")
    parser.add_argument("--compile", action="store_true", help="torch.compile through the trainer's own option")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    set_seed(args.seed)
    rows, batches = common.read_rows(args.tokens)
    size = len(batches[0])
    if size % args.micro_batch:
        raise SystemExit(f"--micro-batch must divide the {size} rows of a step")
    if args.order == "sorted":
        batches = [sorted(b, key=lambda i: -len(rows[i]["ids"])) for b in batches]
    order = [i for b in batches for i in b]

    start = time.perf_counter()
    model = common.load_model(args.model_dir)
    loaded = time.perf_counter() - start

    if args.compact:
        # Only add_fused_lm_head reads this name; the kernels look up their own.
        trl_utils._use_triton = lambda device: True
    # SFTTrainer insists on a tokenizer, and takes from it nothing but the padding id.
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel({"<|endoftext|>": 0}, unk_token="<|endoftext|>")),
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
    )
    dataset = Dataset.from_dict(
        {"input_ids": [rows[i]["ids"] for i in order], "labels": [common.labels_of(rows[i]) for i in order]}
    )
    clock = common.Clock()
    with tempfile.TemporaryDirectory() as out:
        trainer = BestTrainer(
            model=model,
            args=SFTConfig(
                output_dir=out,
                per_device_train_batch_size=args.micro_batch,
                gradient_accumulation_steps=size // args.micro_batch,
                padding_free=args.padding_free,
                max_length=None,
                num_train_epochs=1,
                max_steps=args.steps,
                learning_rate=args.lr,
                train_sampling_strategy="sequential",
                dataset_kwargs={"skip_prepare_dataset": True},
                bf16=False,
                gradient_checkpointing=False,
                torch_compile=args.compile,
                use_cpu=True,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=args.seed,
            ),
            train_dataset=dataset,
            processing_class=tokenizer,
            callbacks=[clock],
        )
        trainer.clock, trainer.peer_args = clock, args
        before = common.memory("VmRSS")
        start, cpu = time.perf_counter(), time.process_time()
        trainer.train()
        seconds = (time.perf_counter() - start, time.process_time() - cpu)
    common.report(
        args,
        "trl-best",
        clock,
        IMPORTED,
        loaded,
        seconds,
        rows,
        batches,
        {
            "positions": trainer.positions,
            "rss_before_train_bytes": before,
            "optim": trainer.args.optim.value,
            "micro_batch": args.micro_batch,
            "padding_free": args.padding_free,
            "order": args.order,
            "compact": args.compact,
            "compile": args.compile,
        },
    )


if __name__ == "__main__":
    main()
