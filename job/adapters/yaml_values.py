"""Parse the YAML of an operator: plain mappings, lists, texts and numbers, of bounded size.

How it works
------------
1. The parser yields events, such as the start of a list.  Tags (`!!binary`) and deep nesting are
   refused there, before anything is built.
2. An alias (`*name`) stands for a complete copy of its node.  All copies are counted, so that a few
   lines cannot stand for billions of values.
3. The values are built.  Duplicate keys and numbers that do not fit into 64 bits are refused.

Dates, `yes`, `no`, `on` and `off` are texts, and 1e-3 is a number, as in YAML 1.2 and JSON.
The items of a list with the key `labels` are texts as they are written: `1.10` is not `1.1`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable
from typing import Any, Final

import yaml

from job.contracts.messages import quote

MAX_BYTES: Final = 64 * 2**10
_MAX_DEPTH: Final = 30
_MAX_NODES: Final = 20_000
_MAX_INTEGER: Final = 2**63 - 1
_INCOMPLETE: Final = (0, 0)
_TEXT_TAG: Final = "tag:yaml.org,2002:str"
_DATE_TAG: Final = "tag:yaml.org,2002:timestamp"
_BOOLEAN_TAG: Final = "tag:yaml.org,2002:bool"
_LABELS: Final = "labels"


class YamlError(Exception):
    """A YAML text is unusable; the message ends a sentence that begins with the text's name.

    Attributes
    ----------
    hint
        What to do; empty if nothing more specific than the problem is known.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(problem)
        self.hint = hint


def parse_yaml(text: str) -> object:
    """Return the value of a YAML or JSON text; None for an empty text.

    Raises
    ------
    YamlError
        The text is not one YAML document, or has duplicate keys, tags or too large values.
    """
    if len(text) > MAX_BYTES:
        raise YamlError(f"is larger than {MAX_BYTES:,} characters", "remove what is not a setting")
    try:
        return yaml.load(text, _Loader)  # noqa: S506  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        if "'\\t'" in str(error.problem):
            problem = f"is not valid YAML or JSON: it has a tab where only spaces are allowed{line}"
            raise YamlError(problem, "replace the tab by spaces") from None
        raise YamlError(f"is not valid YAML or JSON{line}") from None
    except yaml.YAMLError:  # a character that YAML does not allow
        raise YamlError("has characters that are not allowed in YAML") from None


class _Loader(yaml.SafeLoader):
    """YAML loader that refuses what settings do not need."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the node that begins at the next event."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
            raise YamlError(f"uses the YAML tag {quote(tag)}", "remove the tag: none is allowed")
        if self.depth == _MAX_DEPTH:
            raise YamlError(f"has more than {_MAX_DEPTH} levels", "check its brackets")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def get_single_node(self) -> yaml.Node | None:
        """Return the root of the document, after measuring it."""
        node = super().get_single_node()
        if node is not None:
            _measure(node, {})
            _keep_labels(node)
        return node

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        """Return a node's mapping, whose keys must differ."""
        counts = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for key, count in counts.items():
            if count > 1:
                hint = "remove all but one of its lines"
                raise YamlError(f"has duplicate key {quote(key)}", hint)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> float:
        """Return the number of a scalar, which must fit into 64 bits."""
        is_integer = node.tag.endswith(":int")
        construct = self.construct_yaml_int if is_integer else self.construct_yaml_float
        try:
            value: float = construct(node)
        except (ValueError, OverflowError):  # such as 0x_, or thousands of digits
            value = _MAX_INTEGER + 1
        if isinstance(value, int) and abs(value) > _MAX_INTEGER:
            raise YamlError(f"has the number {quote(node.value)}, which is not a 64-bit number")
        return value


def _measure(node: yaml.Node, sizes: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return how many nodes a node contains, with all copies, and how many levels they have.

    `sizes` has the results for complete nodes, and `_INCOMPLETE` for those that contain `node`.
    """
    size = sizes.get(id(node))
    if size == _INCOMPLETE:
        raise YamlError("has a value that contains itself", "remove the alias (`*name`)")
    if size is not None:
        return size
    sizes[id(node)] = _INCOMPLETE
    parts = node.value if isinstance(node, yaml.CollectionNode) else ()
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in parts for part in pair]
    inner = [_measure(part, sizes) for part in parts]
    n_nodes, n_levels = 1 + sum(n for n, _ in inner), 1 + max((n for _, n in inner), default=0)
    if n_nodes > _MAX_NODES or n_levels > _MAX_DEPTH:
        limit = f"{_MAX_NODES:,} values" if n_nodes > _MAX_NODES else f"{_MAX_DEPTH} levels"
        raise YamlError(
            f"has more than {limit} after aliases are copied", "remove values, or aliases (`*name`)"
        )
    sizes[id(node)] = n_nodes, n_levels
    return n_nodes, n_levels


def _keep_labels(node: yaml.Node) -> None:
    """Make texts of the items of each list with the key `labels`."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        parts = node.value
        if isinstance(node, yaml.MappingNode):
            lists = [value for key, value in parts if key.value == _LABELS]
            items = [item for found in lists if found.id == "sequence" for item in found.value]
            for item in items:
                if isinstance(item, yaml.ScalarNode) and item.value:
                    item.tag = _TEXT_TAG
            parts = [part for pair in parts for part in pair]
        waiting += parts


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in (_DATE_TAG, _BOOLEAN_TAG)]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    _BOOLEAN_TAG, re.compile(r"^(true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_number)
_Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_number)
