"""
Makes tests/fixtures/tokenizer/tok512-sentencepiece.json: texts of our own with the ids that the SentencePiece library
gives for stories260K's tok512.model (a SentencePiece BPE model of 512 pieces with byte fallback), with its collapsing
of repeated spaces switched off, as Llama's own models have it and as a GGUF of model "llama" is read.

    pip install sentencepiece==0.2.3 protobuf
    python tools/tokenizer-fixture/tok512-sentencepiece.py ../shared/data/stories260K/tok512.model
"""
import json
import pathlib
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

TEXTS = [
    "Once upon a time, there was a little sheep named Dolly.",
    "She said, \"Let's go to the park!\" and they all ran.",
    "a", " a", "  two spaces  ", "x     y", "\n", "one\n\ntwo\n", "\ttab", "",
    "12345 67.89 $5", "UPPER lower MiXeD", "don't won't it's",
    "naïve café über", "русский й", "\u0438\u0306", "你好，世界", "🐑 flock 👩‍🌾", "zero\u200bwidth nbsp\u00a0here",
    "aaaaaaaaaaaa", "hahahahaha", "thethethe the the", "lllllll", "eeeee oooo ssss", "    ....    ----",
    "<s> </s> <unk> <0x0A>", "The end.\nThe beginning", "def f(x):\n    return x ** 2\n", "[INST] hi [/INST]", "▁ mark",
]

proto = sentencepiece_model_pb2.ModelProto.FromString(pathlib.Path(sys.argv[1]).read_bytes())
proto.normalizer_spec.remove_extra_whitespaces = False
model = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
out = pathlib.Path(__file__).parents[2] / "tests/fixtures/tokenizer/tok512-sentencepiece.json"
rows = ",\n".join("    " + json.dumps({"text": t, "ids": model.encode(t)}, ensure_ascii=False, separators=(",", ":")) for t in TEXTS)
made_by = f"tools/tokenizer-fixture/tok512-sentencepiece.py, sentencepiece {sentencepiece.__version__}"
out.write_text('{\n  "made_by": "' + made_by + '",\n  "cases": [\n' + rows + "\n  ]\n}\n", encoding="utf-8")
