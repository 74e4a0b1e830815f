"""Letters of one person: differently worded, signed with a name, with or without contact data."""

import numpy as np
from support.names import FAMILY, FIRST

NAME = "Zebulon Quixworth"
CONTACT = (
    "zebulon.quixworth@mail.example",
    "+49 30 7654321, Zebulon.Quixworth@Mail.Example",
    "(030) 765-43-21",
    "passport C01X00T47",
    "C01X00T47, call 030 7654321",
    "my id is c01x00t47",
)
_WORDINGS = (
    "Kindly wipe my whole profile from every server you run",
    "Nobody answered last time, so here I am once more about erasure",
    "Which brokers bought my browsing history, and for what price?",
    "Take me off each mailing list before the weekend starts",
    "I moved abroad and want the old household records gone",
    "Your chat agent promised a copy of all documents in spring",
    "The cookie banner ignores whatever I click, stop that tracking",
    "Explain how long backups keep voice recordings of callers",
    "My late father's membership still shows up, please close it",
    "Because the portal crashes I cannot download anything there",
    "Lawyers told me to object to profiling in writing, which I do",
    "How may neighbours see where my parcels were dropped?",
)


def write_letters(has_contact):
    """Return twelve letters that only share the name and, if asked for, the contact data."""
    contact = [f"reach me: {CONTACT[n % len(CONTACT)]}" * has_contact for n in range(12)]
    return [f"{text}. {NAME} {end}" for text, end in zip(_WORDINGS, contact, strict=True)]


def write_table_of_letters(has_contact, n_signers=150, seed=0):
    """Return letters and, for each, its signer: a number and a name, drawn from lists of names.

    A third of the signers send one letter, the others up to twelve letters.  With contact data, each
    letter has an e-mail address or a phone number, and each signer's second letter has both.
    """
    rng = np.random.default_rng(seed)
    texts, signers = [], []
    for signer in range(n_signers):
        name = f"{rng.choice(FIRST)} {rng.choice(FAMILY)}".title()
        mail, phone = f"{name.replace(' ', '.')}{signer}@mail.example", f"030 {7000000 + signer}"
        contact = [mail, f"{mail}, {phone}", phone]
        n_letters = 1 if signer % 3 == 0 else rng.integers(2, 13)
        for n, wording in enumerate(rng.permutation(_WORDINGS)[:n_letters]):
            texts.append(f"{wording}. {name} {contact[min(n, 2)] * has_contact}")
            signers.append((signer, name))
    return texts, signers
