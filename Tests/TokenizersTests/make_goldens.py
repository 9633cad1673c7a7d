"""Writes Golden/MODEL.json: what the `tokenizers` package makes of a mixed corpus.

    python3 make_goldens.py STORE        # the folder that holds whisper-tiny.en/ and whisper-base/
"""
import json
import pathlib
import random
import sys

import tokenizers

TEXTS = [
    "", " ", "  ", "a", " a", "  a", "a ", "a  ", "\n", "a\n\nb", " \t\n x", "\r\n", "a\u00a0b", "a\u3000 b",
    " Hello, world!", "Hello, world!", "It's we're they'll I'd I'm you've don't 's 'S 'T 'LL '",
    " 's !!'s x'y ''re", "1234567890 12,345.67 ½ Ⅷ ٣٤", "e=mc² H₂O x₁", "naïve café Ångström Grüße straße",
    "Ett två tre, åäö ÅÄÖ. Räksmörgås!", "Über den Wolken muss die Freiheit wohl grenzenlos sein.",
    "日本語のテキスト、です。", "中文字符。你好,世界!", "한국어 텍스트", "Привет, мир!", "שלום עולם", "مرحبا بالعالم",
    "नमस्ते दुनिया", "ไทยภาษา", "😀 😂🤣 👩‍👩‍👧‍👦 🇸🇪", "e\u0301 combining a\u0308", "\u200bzero\u200dwidth\ufeff", "\u0000\u0001\u007f\u0085\u2028\u2029",
    "https://example.org/a?b=c&d=%20#x", "def f(x):\n    return x ** 2  # two\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "ĠĊ spelled like bytes", "<| en |> < | >", "...!?!?--—–“quoted”‘single’", "\U0001D54F\U00010348\U0010FFFD",
    " And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.",
]

store = pathlib.Path(sys.argv[1])
for model in ["whisper-tiny.en", "whisper-base"]:
    tokenizer = tokenizers.Tokenizer.from_file(str(store / model / "tokenizer.json"))
    dice = random.Random(model)
    pieces = [" ", "  ", "\n", "'s", "'", "ab", "Zug", "ü", "日本", "7", "½", "!", "\t", "-", "😀", "é", "\u00a0"]
    texts = TEXTS + ["".join(dice.choices(pieces, k=dice.randrange(1, 12))) for _ in range(60)]
    encoded = [{"text": t, "ids": tokenizer.encode(t, add_special_tokens=False).ids} for t in texts]
    # Random ids cut characters anywhere: broken UTF-8 must be repaired as there.
    sequences = [[dice.randrange(50256) for _ in range(dice.randrange(1, 16))] for _ in range(60)]
    sequences += [[dice.randrange(94, 256) for _ in range(dice.randrange(1, 10))] for _ in range(60)]
    decoded = [{"ids": ids, "text": tokenizer.decode(ids)} for ids in sequences]
    golden = {"tokenizers": tokenizers.__version__, "encoded": encoded, "decoded": decoded}
    path = pathlib.Path(__file__).parent / "Golden" / f"{model}.json"
    path.write_text(json.dumps(golden, ensure_ascii=True, separators=(",", ":")) + "\n")
