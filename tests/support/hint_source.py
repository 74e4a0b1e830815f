"""The sentences of the source that tell somebody what to do, found in its syntax trees.

How it works
------------
1. Every text of a module counts, however it reaches the user: as `hint=`, in a table of hints, or
   from a function that puts a hint together.  `{}` stands for what an f-string inserts.
2. Docstrings, the help of options and the descriptions of fields do not count, nor does the first
   argument of an error, which says what is wrong.
3. A sentence is kept if it has a command in backquotes or is one, or if it names an option such as
   `--set`.  Other texts of `hint=` are advice.
"""

import ast
import re

from support.markdown import ROOT

_COMMAND = re.compile(r"`(?:[A-Za-z][^`]* |{})[^`]*`|(?<!\w)--[a-z]|^pcc-job [a-z]|`pcc-job")
_PIECE = re.compile(
    r"`(?:[A-Za-z][^`]* |{})[^`]*`|--set (?:'[^']*'|\S*[^\s,;.`)])|(?<![\w`-])--[a-z][a-z-]+(?: [A-Z]{2,})?"
)
_HELP = {"help", "description", "epilog"}


def list_hints(sources=None):
    """Return triples of text, kind and module of all hints, also of those that are only advice.

    The kinds are `command` (of this program), `setting or option`, `shell` and `advice`.
    """
    found = {}
    for name, source in (_read_sources() if sources is None else sources).items():
        nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.keyword)]
        hints = [_text_of(node.value) for node in nodes if node.arg == "hint"]
        for text in (*sentences_of(source), *filter(None, hints)):
            found.setdefault(text, (text, _kind_of(text), name))
    return sorted(found.values())


def _kind_of(text):
    if "`pcc-job " in text or text.startswith("pcc-job "):
        return "command"
    if re.search(r"(?<!\w)--[a-z]", re.sub("`[^`]*`", "", text)):
        return "setting or option"
    return "shell" if _COMMAND.search(text) else "advice"


def _read_sources():
    paths = sorted((ROOT / "job").rglob("*.py"))
    return {str(path.relative_to(ROOT)): path.read_text() for path in paths}


def pieces_of(sentence):
    """Return the commands and the options in a sentence."""
    return set(_PIECE.findall(sentence))


def list_sentences():
    """Return the sentences that name a command or an option; each with its module."""
    found = {}
    for name, source in _read_sources().items():
        for sentence in sentences_of(source):
            found.setdefault(sentence, name)
    return found


def sentences_of(source):
    """Return the sentences of a module that name a command or an option."""
    tree = ast.parse(source)
    skipped = _list_skipped(tree)
    texts = [_text_of(node) for node in ast.walk(tree) if id(node) not in skipped]
    return [text for text in texts if text and " " in text and _COMMAND.search(text)]


def _list_skipped(tree):
    """Return the ids of nodes whose texts are no sentences for the user, or are parts of one."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            skipped.add(id(node.value))
        elif isinstance(node, ast.keyword) and node.arg in _HELP:
            skipped |= {id(part) for part in ast.walk(node.value)}
        elif isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values if isinstance(part, ast.Constant)}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Error", "epilog")):
            skipped |= {id(part) for argument in node.args[:1] for part in ast.walk(argument)}
    return skipped


def _text_of(node):
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_fill, node.values))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _fill(part):
    """Return the text of a part of an f-string; a function that makes a command stands for one."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    return "`pcc-job models promote {}`" if "promote_command(" in ast.unparse(part) else "{}"
