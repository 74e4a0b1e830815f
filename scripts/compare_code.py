"""Show whether only sentences and comments changed in the code since a revision.

`python -m scripts.compare_code REVISION [FOLDER ...]` compares the syntax trees of each module with
those of the revision.  Docstrings, comments and strings with a space may differ; in f-strings with
a space, so may the order of the values.  Anything else is reported: strings without a space are
keys, names and events.  The exit code is 1 if a module has other changes.
"""

import ast
import subprocess
import sys
from pathlib import Path

FOLDERS = ("job", "scripts", "benchmarks")


class _WithoutSentences(ast.NodeTransformer):
    """Replaces each sentence by an empty string; keeps the values of an f-string."""

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if _is_sentence(node) else node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        if not any(_is_sentence(part) for part in node.values):
            return self.generic_visit(node)
        inserted = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        return ast.Tuple(sorted((self.visit(part) for part in inserted), key=ast.dump), ast.Load())

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_docstring = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_docstring else self.generic_visit(node)


def _is_sentence(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


def strip_sentences(source: str) -> str:
    """Return the syntax tree without sentences, as text, to compare two versions of a source."""
    return ast.dump(_WithoutSentences().visit(ast.parse(source)))


def find_changed(revision: str, folders: tuple[str, ...]) -> list[str]:
    """Return the modules whose code differs from that of the revision, sorted by path."""
    listed = _git("ls-tree", "-r", "--name-only", revision, *folders).splitlines()
    before = {path for path in listed if path.endswith(".py")}
    after = {str(path) for folder in folders for path in Path(folder).rglob("*.py")}
    return sorted(
        path
        for path in before | after
        if path not in before
        or path not in after
        or strip_sentences(_git("show", f"{revision}:{path}"))
        != strip_sentences(Path(path).read_text())
    )


def _git(*arguments: str) -> str:
    return subprocess.run(("git", *arguments), check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    changed = find_changed(sys.argv[1], tuple(sys.argv[2:]) or FOLDERS)
    print("\n".join(changed) if changed else "only sentences and comments changed")
    sys.exit(bool(changed))
