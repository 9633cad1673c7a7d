"""Writes Golden/gemma-vocabulary.json: what the `tokenizers` package makes of a mixed corpus with Gemma's vocabulary of
262,144 pieces. SentencePiece makes the same of it.

    python3 make_gemma_vocabulary_goldens.py GGUF      (the file of pull_vocabulary.py)
"""
import json
import pathlib
import random
import sys

import gguf
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as model_pb2
from tokenizers import AddedToken, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import BPE
from transformers.convert_slow_tokenizer import generate_merges

# Tags that steer the model although the file counts them as text.
TAGS = {"<start_of_turn>", "<end_of_turn>", "<start_of_image>", "<end_of_image>", "<image_soft_token>",
        "<start_of_audio>", "<end_of_audio>", "<audio_soft_token>"}
NORMAL, UNKNOWN, CONTROL, ADDED = 1, 2, 3, 4

fields = gguf.GGUFReader(sys.argv[1]).fields
pieces, scores, types = (fields[f"tokenizer.ggml.{k}"].contents() for k in ("tokens", "scores", "token_type"))
ids = {piece: index for index, piece in enumerate(pieces)}
normal = {p: s for p, s, t in zip(pieces, scores, types) if t == NORMAL and p not in TAGS}
merges = generate_merges({p: ids[p] for p in normal}, normal)

fast = Tokenizer(BPE(vocab=ids, merges=merges, fuse_unk=True, unk_token="<unk>", byte_fallback=True))
fast.normalizer = normalizers.Replace(" ", "▁")
fast.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
special = [p for p, t in zip(pieces, types) if t in (UNKNOWN, CONTROL) or p in TAGS]
fast.add_special_tokens([AddedToken(p, normalized=False, special=True) for p in special])
fast.add_tokens([AddedToken(p, normalized=False) for p, t in zip(pieces, types) if t == ADDED and p not in TAGS])


def slow(control):
    proto = model_pb2.ModelProto()
    for piece, score, kind in zip(pieces, scores, types):
        entry = proto.pieces.add()
        is_special = kind == CONTROL or piece in TAGS
        entry.piece = piece.replace(" ", "▁") if kind == ADDED else piece
        entry.score, entry.type = score, control if is_special else kind
    spec, form = proto.trainer_spec, proto.normalizer_spec
    spec.model_type, spec.byte_fallback, spec.vocab_size = 2, True, len(pieces)
    spec.pad_id, spec.eos_id, spec.bos_id, spec.unk_id = 0, 1, 2, 3
    form.name, form.add_dummy_prefix = "identity", False
    form.remove_extra_whitespaces, form.escape_whitespaces = False, True
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


PROSE = [
    "The quick brown fox jumps over the lazy dog; it's 3.14159 o'clock, isn't it?", "What comes after three?",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich – naïve façade, œuvre.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Ґанок їжака.",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· ἐν ἀρχῇ ἦν ὁ λόγος.", "Բարև աշխարհ, ինչպես ես", "შეჭამა ჩემმა ძაღლმა ბურთი",
    "דג סקרן שט בים מאוכזב ולפתע מצא חברה, שָׁלוֹם", "نص حكيم له سر قاطع وذو شأن عظيم، مَرْحَبًا ١٢٣", "ہم اردو میں لکھتے ہیں",
    "नमस्ते दुनिया, क्षत्रिय ज्ञान १२३", "আমার সোনার বাংলা, আমি তোমায় ভালোবাসি", "ਸਤ ਸ੍ਰੀ ਅਕਾਲ ਦੁਨੀਆ", "કેમ છો વિશ્વ", "ନମସ୍କାର ବିଶ୍ୱ",
    "வணக்கம் உலகம், தமிழ்", "నమస్కారం ప్రపంచం", "ನಮಸ್ಕಾರ ಜಗತ್ತು", "നമസ്കാരം ലോകം", "ආයුබෝවන් ලෝකය", "สวัสดีชาวโลก น้ำใจ", "ສະບາຍດີຊາວໂລກ",
    "བཀྲ་ཤིས་བདེ་ལེགས།", "မင်္ဂလာပါ ကမ္ဘာလောက", "ሰላም ለዓለም", "សួស្តី​ពិភពលោក", "こんにちは世界。カタカナ、ひらがな、漢字を混ぜる。",
    "敏捷的棕色狐狸跳过懒狗。繁體中文：龍龜。", "다람쥐 헌 쳇바퀴에 타고파. 각각", "Xin chào thế giới, tiếng Việt có dấu: ặ ễ ộ ữ", "ᚠᚢᚦᚨᚱᚲ ᏣᎳᎩ ߒߞߏ ⴰⵣⵓⵍ 𐌰𐌱𐌲",
    "∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, ∑ᵢ αᵢ² ≤ ∞, 𝔸𝕓𝒸", "👩‍👩‍👧‍👦👍🏽🇩🇪🇯🇵❤️‍🔥🏴󠁧󠁢󠁥󠁮󠁧󠁿 😀😃🫠", "𝄞 𠜎𠜱 \U0010ffff \ue000 \ufeff\u200b\u200d\u2028\u2029",
    "e\u0301 \u0301\u0302 ﷽ ﬁ ﬂ Å Å", "\x00\x01\x1b[31m\x7f\x80\x9f\xa0\xad"]
CODE = [
    "def f(x: int) -> str:\n    \"\"\"Doc.\"\"\"\n    return f\"{x!r:>10}\" if x % 2 == 0 else None\n\n\nclass A(B):\n\tpass\n",
    "for (int i = 0; i < n; ++i) {\n        a[i] = b[i] << 3 | 0xFF;  // shift\n\t\tprintf(\"%d\\n\", a[i]);\n}\r\n",
    "<html>\n  <body class=\"x\"><table><tr><td>1</td></tr></table></body>\n</html>",
    "SELECT * FROM t WHERE a <> 'b' AND c >= 1e-9;\n-- ====================\n",
    "let v: Vec<_> = xs.iter().map(|x| x?.y).collect::<Result<_, _>>()?;", "{\"key\": [1, 2.5, null, true], \"ключ\": \"\\u00e9\"}",
    "$ curl -sSL 'http://example.org/?q=a+b&c=%20' | sed -E 's/(.*)/\\1/' > /dev/null 2>&1 &&\\\n\techo done"]
RUNS = ["\n" * n for n in (1, 2, 3, 4, 5, 30, 31, 32, 33, 64)] + [" " * n for n in (1, 2, 15, 16, 31, 32, 33, 70)] + [
    "\t" * n for n in (1, 2, 31, 40)] + ["\r\n\r\n", " \n \n", "\n\n \n\n\n", "a" * 50, "ab" * 30, "=" * 70, "1" * 20, "哈" * 9]
PLAIN = ["<bos><start_of_turn>user\nhi<end_of_turn>\n<start_of_turn>model\n", "<start_of_image>", "\n\n<start_of_image>\n\n",
         "<image_soft_token><end_of_image>", "<pad><eos><unk><mask>", "<unused5>[multimodal]", "<start_of_", "<0x41><0x0A>", "</h1><h1>",
         "<|eos|>", "<<bos>>", " <bos> ", "<start_of_turn>\n\n\n<end_of_turn>"]

dice = random.Random(4)
words = [w for text in PROSE + CODE for w in text.split(" ")]
corpus = [""] + PROSE + CODE + RUNS + PLAIN
for _ in range(230):
    corpus.append("".join(dice.choice(dice.choice([words, [" ", "\n", "  "], PLAIN, RUNS[:8]])) for _ in range(dice.randrange(1, 9))))

with_specials, plain = slow(ADDED), slow(CONTROL)
cases = []
for text in corpus:
    fast.encode_special_tokens = False
    case = {"text": text, "specials": fast.encode(text, add_special_tokens=False).ids}
    fast.encode_special_tokens = True
    case["plain"] = fast.encode(text, add_special_tokens=False).ids
    assert with_specials.encode(text) == case["specials"], case
    assert plain.encode(text) == case["plain"], case
    if case["plain"] == case["specials"]:
        del case["plain"]
    cases.append(case)
golden = {"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__, "cases": cases}
path = pathlib.Path(__file__).parent / "Golden" / "gemma-vocabulary.json"
path.write_text(json.dumps(golden, ensure_ascii=False, separators=(",", ":")) + "\n")
print(len(cases), "texts,", path.stat().st_size, "bytes")
assert path.stat().st_size < 64 * 1024
