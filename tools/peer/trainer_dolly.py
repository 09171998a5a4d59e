"""Peer (a): transformers' Trainer, set up as Dolly's training/trainer.py sets it up, on a CPU in fp32.

As there: batches of 8 random rows padded to the longest row and then to a multiple of 8, an attention mask, labels -100
on the prompt and on the padding, logits at every position, AdamW with transformers' defaults (weight decay 0), clip 1.0,
log warm-up then constant (Dolly's DeepSpeed config), remove_unused_columns off. README.md says what differs and why.
"""

import time

BEGAN = time.perf_counter()

import tempfile

import common
import torch
from transformers import Trainer, TrainingArguments, set_seed

IMPORTED = time.perf_counter() - BEGAN


class Collator:
    """The tensors of Dolly's DataCollatorForCompletionOnlyLM, from rows that already know which ids are trained."""

    def __init__(self):
        self.positions = 0

    def __call__(self, rows):
        longest = max(len(r["ids"]) for r in rows)
        width = -(-longest // 8) * 8
        ids = torch.zeros(len(rows), width, dtype=torch.long)  # pad id 0 = <|endoftext|>
        mask = torch.zeros_like(ids)
        labels = torch.full_like(ids, -100)
        for i, row in enumerate(rows):
            n = len(row["ids"])
            ids[i, :n] = torch.tensor(row["ids"])
            mask[i, :n] = 1
            labels[i, :n] = torch.tensor(common.labels_of(row))
        self.positions += ids.numel()
        return {"input_ids": ids, "attention_mask": mask, "labels": labels}


class DollyTrainer(common.Recorder, Trainer):
    pass


def main():
    parser = common.parser(__doc__.splitlines()[0], "log")
    parser.add_argument("--gradient-checkpointing", action="store_true", help="Dolly's GPU default: less memory, slower")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    set_seed(args.seed)
    rows, batches = common.read_rows(args.tokens)

    start = time.perf_counter()
    model = common.load_model(args.model_dir)
    loaded = time.perf_counter() - start

    clock, collator = common.Clock(), Collator()
    with tempfile.TemporaryDirectory() as out:
        trainer = DollyTrainer(
            model=model,
            args=TrainingArguments(
                output_dir=out,
                per_device_train_batch_size=len(batches[0]),
                num_train_epochs=1,
                max_steps=args.steps,
                learning_rate=args.lr,
                gradient_checkpointing=args.gradient_checkpointing,
                # The batches are random already, drawn once for all sides of the comparison.
                train_sampling_strategy="sequential",
                remove_unused_columns=False,
                use_cpu=True,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                seed=args.seed,
            ),
            train_dataset=[rows[i] for b in batches for i in b],
            data_collator=collator,
            callbacks=[clock],
        )
        trainer.clock, trainer.peer_args = clock, args
        before = common.memory("VmRSS")
        start, cpu = time.perf_counter(), time.process_time()
        trainer.train()
        seconds = (time.perf_counter() - start, time.process_time() - cpu)
    common.report(
        args,
        "transformers-trainer-dolly",
        clock,
        IMPORTED,
        loaded,
        seconds,
        rows,
        batches,
        {
            "positions": collator.positions,
            "rss_before_train_bytes": before,
            "optim": trainer.args.optim.value,
            "gradient_checkpointing": args.gradient_checkpointing,
        },
    )


if __name__ == "__main__":
    main()
