"""
Makes tests/fixtures/tokenizer/train-bpe.json: texts made from a seed, and the merges and vocabulary that Hugging
Face's tokenizers library learns from them with its byte-level BPE trainer, with the ids it then gives for other texts.

    pip install tokenizers==0.23.3
    python tools/tokenizer-fixture/train_bpe.py
"""
import json
import pathlib
import random
import sys

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END = "<|endoftext|>"
WORDS = """the a sheep shepherd wool meadow river stone bridge winter summer lamb lambs shearing shears grazing gate gated
walk walked walking talk talked talking quick quickly slow slowly bright brighter brightest under over between because
I you she they it's don't won't we're I'll they've he'd I'm O'Neil can't constructor toString hasOwnProperty valueOf
__proto__ length Roslin DOLLY Edinburgh naïve café über straße овца овцы овечка пастух луг река зима мост молоко
πρόβατο ποιμήν λιβάδι 羊 羊毛 草地 牧羊人 ひつじ まきば خروف راعٍ भेड़ चरवाहा 양털 🐑 🐏 👩‍🌾 🏞️ 👍🏽 🇬🇧""".split()
STUTTER = ["ab", "abab", "ababab", "aaa", "aaaa", "aaaaaaa", "baab", "abba", "bbbb", "aabb"]
SIGNS = [". ", ", ", "! ", "?! ", "; ", ": ", " - ", " — ", "... ", " (", ") ", '" ', "’s ", "'s ", "'LL ", "/", " == ", " += ", "{}\n", " <|endoftext|> "]
GAPS = [" "] * 40 + ["  ", "   ", "      ", "\n", "\n\n", "\n\n\n", "\r\n", "\t", "\n\t\t", " \n", "\u00a0", "\u3000", "\u0085", " \u0085 ", "\ufeff", " \ufeff", "\u200b", "\u2028"]


def document(chance: random.Random, pieces: int) -> str:
    """Words from the list, all about equally often, so that many pairs occur equally often."""
    kind = chance.random()
    if kind < 0.1:
        return " ".join(chance.choice(STUTTER) for _ in range(pieces))
    out = []
    for _ in range(pieces):
        draw = chance.random()
        if draw < 0.75:
            out.append(chance.choice(WORDS))
        elif draw < 0.85:
            out.append(str(chance.randrange(10 ** chance.randrange(1, 6))))
        elif draw < 0.88:
            out.append(chance.choice(["½", "Ⅳ", "²", "٣٤", "1,024.50", "3.14", "0x1F", "No.7"]))
        else:
            out.append(chance.choice(SIGNS))
        out.append(chance.choice(GAPS))
    return "".join(out)


def documents(seed: int, count: int, pieces: int) -> list[str]:
    chance = random.Random(seed)
    return [document(chance, chance.randrange(1, 2 * pieces)) for _ in range(count)]


def train(texts: list[str], vocab_size: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, min_frequency=2, special_tokens=[END], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def case(name: str, texts: list[str], vocab_size: int, others: list[str]) -> dict:
    tokenizer = train(texts, vocab_size)
    model = json.loads(tokenizer.to_str())["model"]
    vocab = [token for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1])]
    assert [model["vocab"][token] for token in vocab] == list(range(len(vocab)))
    # Without the special token, so that text stays text.
    plain = Tokenizer(models.BPE(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]]))
    plain.pre_tokenizer = tokenizer.pre_tokenizer
    encoded = [{"text": text, "ids": plain.encode(text).ids} for text in others]
    return {"name": name, "vocab_size": vocab_size, "texts": texts, "merges": [" ".join(pair) for pair in model["merges"]], "vocab": vocab, "encoded": encoded}


def main() -> None:
    others = documents(99, 12, 12) + ["", " ", "the the  the\n", "x" * 30, "abababab baabaa", "О́вцы 🐑🐑 and\u0085\ufeffwool"]
    few = documents(1, 16, 25)
    cases = [
        case("bytes alone", few[:2], 257, others[:2]),
        case("few merges", few, 300, others),
        case("many ties", documents(2, 60, 60), 900, others),
        case("until no pair occurs twice", documents(3, 6, 25) + [" ".join(STUTTER * 2)], 5000, others),
        case("no text", [], 400, others[:2]),
    ]
    out = pathlib.Path(__file__).parents[2] / "tests/fixtures/tokenizer/train-bpe.json"
    made_by = f"tools/tokenizer-fixture/train_bpe.py with tokenizers {tokenizers.__version__}, Python {sys.version.split()[0]}"
    rows = ",\n".join("    " + json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in cases)
    out.write_text(f'{{\n  "made_by": {json.dumps(made_by)},\n  "cases": [\n{rows}\n  ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
