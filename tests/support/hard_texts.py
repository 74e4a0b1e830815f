"""Texts on which libraries and languages differ: letter case, white space, code points, length."""

HARD_TEXTS = [
    "Please delete my account, PLEASE delete it",
    "",
    " ",
    "\t\n \u3000\u2028",
    "a",
    "a b c",
    "İstanbul ISPARTA \u0131spanak",  # İ has two characters in lower case
    "ΟΔΟΣ ΟΔΟΣ. ΣΑΣ ΑΣΑ Σ ΑΣ'\u0392 ΑΣ'",  # sigma at the end of a word and inside
    "STRASSE Straße ẞ ﬁnal ǅ",
    "café cafe\u0301 n\u0303o A\u030a Å K",  # combining marks, and letters that look the same
    "नमस्ते दुनिया",  # vowel signs are no word characters
    "删除我的账户 アカウントを削除 계정 삭제",
    "مرحبا \u200fبكم\u200e שלום",
    "👍🏽 👩\u200d👩\u200d👧 🇩🇪 x👍y 👍",
    "x\u200dy x\u200cy x\ufeffy \ufefffirst",
    "a\u0085b c\u2028d e\u2029f g\u001ch i\u001dj k\u001el m\u001fn",
    "a\u00a0b c\u1680d e\u2007f g\u202fh i\u205fj k\u3000l",
    "no\u200bspace no\u180espace no\u2060space",
    "v\u000bw \u000cx\r\ny",
    "snake_case _ __ 12 1 ½¾ Ⅷ ²³ ٣٤ ௧௨",
    "don't e-mail: me@mail.example/path?x=1&y=2",
    "\U0001d401\U0001d428\U0001d425\U0001d41d 𐐀𐐁 \U0001d7d8\U0001d7d9",  # outside the basic plane; 𐐀 has a lower case
    "a\u0000b \u0007 \u001b[0m",
    "delete " * 1429,  # 10,000 characters
    "x" * 10_000,
    "Ω" * 5_000 + "Σ",
]
