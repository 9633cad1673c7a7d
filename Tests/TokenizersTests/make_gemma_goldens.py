"""Writes Golden/gemma.json: a small tokenizer.json of Gemma's kind, what the `tokenizers` package makes of a mixed
corpus with it, and the same vocabulary as scores: SentencePiece makes the same of the corpus.

    python3 make_gemma_goldens.py
"""
import json
import pathlib
import random

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE

CONTROL = ["<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<start_of_audio>"]
RUNS = ["\n" * n for n in (1, 2, 3, 4)] + ["  ", "   ", "<table>", "<tab", "\t\t"]
BYTES = [f"<0x{b:02X}>" for b in range(256)]
# Every piece can be made by merging two earlier ones; "aaa" and "abab" in two ways.
MERGED = ["▁t", "th", "he", "▁the", "the", "in", "ing", "aa", "aaa", "ab", "abab", "aba", "ba", "▁a", "er", "▁w", "or",
          "▁wor", "ld", "▁world", "日本", "本語", "日本語", "é", "né", "ab▁", "<bo", "bos", "s>", "<bos", "😀😁",
          "12", "lo", "ll", "llo", "hello", "he▁"]
CHARACTERS = sorted(set("".join(MERGED)) | set("abcdefghijklmnopqrstuvwxyzTHE.,<>_/0123456789'▁日本語é😀😁ü"))
pieces = CONTROL + RUNS + BYTES + [p for p in MERGED if len(p) > 1] + CHARACTERS
assert len(set(pieces)) == len(pieces)
ids = {p: i for i, p in enumerate(pieces)}
merges = [(p[:i], p[i:]) for p in MERGED for i in range(1, len(p)) if p[:i] in ids and p[i:] in ids]

fast = Tokenizer(BPE(vocab=ids, merges=merges, fuse_unk=True, unk_token="<unk>", byte_fallback=True))
fast.normalizer = normalizers.Replace(" ", "▁")
fast.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
fast.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
fast.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in CONTROL])
fast.add_tokens([AddedToken(t, normalized=False) for t in RUNS])

scores, types = [], []
for piece in pieces:
    kind = 2 if piece == "<unk>" else 3 if piece in CONTROL else 4 if piece in RUNS else 6 if piece in BYTES else 1
    types.append(kind)
    scores.append(float(-MERGED.index(piece)) if piece in MERGED else -1000.0)


def slow(control):
    proto = model_pb2.ModelProto()
    for piece, score, kind in zip(pieces, scores, types):
        entry = proto.pieces.add()
        entry.piece, entry.score = piece.replace(" ", "▁") if kind == 4 else piece, score
        entry.type = control if kind == 3 else kind
    proto.trainer_spec.model_type = 2
    proto.trainer_spec.byte_fallback = True
    proto.trainer_spec.vocab_size = len(pieces)
    proto.trainer_spec.pad_id, proto.trainer_spec.eos_id = 0, 1
    proto.trainer_spec.bos_id, proto.trainer_spec.unk_id = 2, 3
    proto.normalizer_spec.name = "identity"
    proto.normalizer_spec.add_dummy_prefix = False
    proto.normalizer_spec.remove_extra_whitespaces = False
    proto.normalizer_spec.escape_whitespaces = True
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


dice = random.Random(4)
words = ["the", " the", " world", "hello", "aaaa", "ababab", "ing", " ", "  ", "   ", "     ", "\n", "\n\n", "\n\n\n\n\n", "\t",
         "\t\t\t", "日本語", "本", "é", "né", "😀😁", "👩‍👩‍👧", "ü", "Ü", "नमस्ते", "Привет", "ไทย", "12", "3.14", "<bos>", "<end_of_turn>",
         "<start_of_audio>", "<table>", "<tab", "<tabl", "<", ">", "<0x41>", "<0xE2>", "bos", "\0", "\u2028", "\u0301", "\U0010ffff"]
corpus = ["", " ", "a", "hello world", "the world in ing", "a" * 37, "ab" * 23, "aab" * 9, " " * 40, "\n" * 41]
corpus += ["".join(dice.choices(words, k=dice.randrange(1, 14))) for _ in range(130)]

cases = []
for text in corpus:
    fast.encode_special_tokens = False
    case = {"text": text, "specials": fast.encode(text, add_special_tokens=False).ids}
    fast.encode_special_tokens = True
    case["plain"] = fast.encode(text, add_special_tokens=False).ids
    cases.append(case)
with_specials, plain = slow(4), slow(3)
for case in cases:
    # With control tokens as plain symbols, SentencePiece finds them in text too.
    assert with_specials.encode(case["text"]) == case["specials"], case
    assert plain.encode(case["text"]) == case["plain"], case
golden = {
    "tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__, "pieces": pieces, "types": types,
    "scores": scores, "json": fast.to_str(), "cases": cases}
path = pathlib.Path(__file__).parent / "Golden" / "gemma.json"
path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
print(path.stat().st_size, "bytes")
