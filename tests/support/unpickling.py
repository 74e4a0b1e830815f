"""Find code that can read a pickle or run a string as code, in the source of a module.

How it works
------------
1. Imports tell which dotted name each local name stands for, whatever it is called there.
2. Modules that read pickles, find modules by text or call C must not be imported, and not be used
   as an attribute of another package.  Of joblib, only three names may be used.
3. Some functions of other packages may be called only with an argument that forbids pickles.
4. The modules of these packages may be used only as `module.name`, so that no function can be got
   from them in another way, such as by `getattr`.
"""

import ast

_MODULES = frozenset(
    (
        *("pickle", "_pickle", "cPickle", "dill", "cloudpickle", "jsonpickle", "marshal", "shelve"),
        *("builtins", "imp", "runpy", "multiprocessing", "pkgutil", "pydoc", "torch", "timeit"),
        "ctypes",
    )
)
_OF_JOBLIB = ("joblib.parallel_config", "joblib.cpu_count", "joblib.numpy_pickle.NumpyPickler")
_WATCHED = (
    "joblib",
    "numpy",
    "pandas",
    "yaml",
    "importlib",
    "sys",
    "numpy.lib",
    "numpy.lib.format",
)
_NAMES = ("eval", "exec", "compile", "__import__", "__builtins__")
_DOTTED = ("importlib.import_module", "importlib.util", "importlib.machinery", "sys.modules")
# as an attribute of anything
_ATTRIBUTES = frozenset(
    (
        *("read_pickle", "read_hdf", "read_array", "Unpickler", "_Unpickler", "NumpyUnpickler"),
        *("unsafe_load", "unsafe_load_all", "full_load", "full_load_all", "eval", "exec"),
        *("UnsafeLoader", "FullLoader", "CUnsafeLoader", "CFullLoader", "CLoader", "npyio"),
        *("joblib", "pickle", "_npyio_impl"),
    )
)
_OF_NUMPY = ("numpy.load", "numpy.lib.format.read_array")
_OF_YAML = ("yaml.load", "yaml.load_all")
_FLAGGED = (*_OF_NUMPY, *_OF_YAML, *_DOTTED, "yaml.Loader", "yaml.BaseLoader")


def find_unpickling(source):
    """Return what is forbidden in the source, as `LINE: NAME`, sorted by line."""
    tree = ast.parse(source)
    finder = _Finder(_list_aliases(tree), _list_safe_loaders(tree))
    finder.visit(tree)
    return [f"{line}: {name}" for line, name in sorted(finder.found)]


def _list_aliases(tree):
    """Return the dotted names that each local name may stand for."""
    aliases = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for item in node.names:
                local = item.asname or item.name.partition(".")[0]
                aliases.setdefault(local, set()).add(item.name if item.asname else local)
        elif isinstance(node, ast.ImportFrom):
            for item in node.names:
                name = _name_import(node, item)
                aliases.setdefault(item.asname or item.name, set()).add(name)
    return aliases


def _name_import(node, item):
    """Return the dotted name of `from ... import item`, with the dots of a relative import."""
    return f"{'.' * node.level}{node.module or ''}.{item.name}"


def _list_safe_loaders(tree):
    """Return the names of YAML loaders that create plain values only."""
    safe = {"yaml.SafeLoader", "yaml.CSafeLoader"}
    for node in ast.walk(tree):
        bases = {ast.unparse(base) for base in getattr(node, "bases", ())}
        if bases and bases <= safe:
            safe.add(node.name)
    return safe


def _is_forbidden(name):
    root, _, rest = name.partition(".")
    if root in _MODULES or name in (*_WATCHED, *_FLAGGED):
        return True
    if root == "joblib" and name not in _OF_JOBLIB:
        return True
    return bool(_ATTRIBUTES & set(rest.split(".")))


class _Finder(ast.NodeVisitor):
    def __init__(self, aliases, safe_loaders):
        self._aliases, self._safe_loaders = aliases, safe_loaders
        self.found = set()

    def _add(self, node, name):
        self.found.add((node.lineno, name))

    def _resolve(self, node):
        """Return the dotted names that an expression stands for; empty if it is no name."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return {".".join(["?", *parts])} if parts else set()
        roots = self._aliases.get(node.id, {f"?{node.id}" if parts else node.id})
        return {".".join([root, *parts]) for root in roots}

    def visit_Import(self, node):
        for item in node.names:
            root, *parts = item.name.split(".")
            if root in _MODULES or _ATTRIBUTES & set(parts):
                self._add(node, item.name)

    def visit_ImportFrom(self, node):
        for item in node.names:
            name = _name_import(node, item)
            is_part = any(allowed.startswith(f"{name}.") for allowed in _OF_JOBLIB)
            is_watched = name in (*_WATCHED, *_OF_NUMPY, *_OF_YAML)  # checked where it is used
            is_star = item.name == "*" and name.partition(".")[0] in _WATCHED
            if is_star or (_is_forbidden(name) and not is_part and not is_watched):
                self._add(node, name)

    def visit_Name(self, node):
        for name in self._resolve(node):
            if node.id in _NAMES or (node.id in self._aliases and _is_forbidden(name)):
                self._add(node, name)

    def visit_Attribute(self, node):
        for name in self._resolve(node):
            if _is_forbidden(name):
                self._add(node, name)
        root = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not isinstance(root, ast.Name):
            self.visit(root)

    def visit_Call(self, node):
        keywords = {item.arg: item.value for item in node.keywords}
        allows = keywords.get("allow_pickle")
        if allows is not None and not (isinstance(allows, ast.Constant) and allows.value is False):
            self._add(node, "allow_pickle")
        loader = keywords.get("Loader", node.args[1] if len(node.args) > 1 else None)
        names = self._resolve(node.func)
        is_safe = names and (
            (names <= set(_OF_NUMPY) and allows is not None)
            or (names <= set(_OF_YAML) and loader and ast.unparse(loader) in self._safe_loaders)
        )
        self.generic_visit(node) if not is_safe else self._visit_arguments(node)

    def _visit_arguments(self, node):
        for part in (*node.args, *node.keywords):
            self.visit(part)
