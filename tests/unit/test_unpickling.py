"""Only the child process of `models load-check --pickle` reads pickles."""

from pathlib import Path

import pytest
from support.unpickling import find_unpickling

import job

ROOT = Path(job.__file__).parent
READER = "adapters/codecs/pickle_child.py"
ALLOWED = {
    "adapters/host_limits.py": {"ctypes", "ctypes.CDLL"},  # two functions of the C library
    "stages/training/estimators.py": {"importlib.import_module"},  # three names of scikit-learn
}
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py"))


@pytest.mark.parametrize("name", [name for name in MODULES if name != READER])
def test_module_reads_no_pickle(name):
    """Neither does it run a string as code."""
    found = {item.partition(": ")[2] for item in find_unpickling((ROOT / name).read_text())}

    assert ALLOWED.get(name, set()) == found


def test_the_reader_would_be_found():
    """The control: the one module that reads pickles does not pass."""
    found = " ".join(find_unpickling((ROOT / READER).read_text()))

    assert "pickle" in found
    assert "importlib.import_module" in found


@pytest.mark.parametrize(
    "code",
    [
        *("import pickle", "import _pickle as p", "from pickle import loads", "import dill"),
        *("import cloudpickle", "import marshal", "import shelve", "from pickle import *"),
        *("import json, pickle", "def f():\n    import pickle", "import builtins"),
        "import joblib\njoblib.load('x')",
        "import joblib as j\nj.load('x')",
        "from joblib import load as x\nx('x')",
        "from joblib import *",
        "import joblib\ngetattr(joblib, 'load')('x')",
        "import joblib\nload = joblib.load",
        "import joblib\nj = joblib\nj.load('x')",
        "import joblib\nvars(joblib)['load']('x')",
        "import joblib.numpy_pickle as n\nn.load('x')",
        "from joblib import numpy_pickle as n\nn.NumpyUnpickler",
        "from joblib import numpy_pickle as n\ngetattr(n, 'load')",
        "from joblib import Memory",
        "import numpy as np\nnp.load('x')",
        "import numpy as np\nnp.load('x', allow_pickle=True)",
        "import numpy as np\nnp.load('x', None, True)",
        "import numpy as np\nflag = False\nnp.load('x', allow_pickle=flag)",
        "import numpy as np\nfunctions = [np.load]",
        "import numpy as np\ngetattr(np, 'load')",
        "import numpy as np\ngetattr(np.lib.format, 'read_array')",
        "import numpy as np\nnp.lib.format.read_array('x')",
        "import numpy as np\nnp.lib.npyio.NpzFile('x')",
        "from numpy import load\nload('x')",
        "from numpy.lib.format import read_array as r\nr('x')",
        "from numpy.lib import format as f\nf.read_array('x')",
        "import pandas as pd\npd.read_pickle('x')",
        "from pandas import read_pickle",
        "def f(pd):\n    return pd.read_pickle('x')",
        "def f(np):\n    return np.lib.format.read_array('x', allow_pickle=False)",
        "f('x', allow_pickle=True)",
        "import yaml\nyaml.load('x')",
        "import yaml\nyaml.load('x', yaml.Loader)",
        "import yaml\nyaml.load('x', Loader=yaml.FullLoader)",
        "import yaml\nyaml.unsafe_load('x')",
        "import yaml\nclass L(yaml.Loader):\n    pass\nyaml.load('x', L)",
        "from yaml import load\nload('x')",
        *("eval('1')", "exec('1')", "__import__('pickle')", "compile('1', 'x', 'exec')"),
        *("f = eval", "frame.eval('x')"),
        "import importlib\nimportlib.import_module('pickle')",
        "from importlib import import_module",
        "import sys\nsys.modules['joblib'].load('x')",
        "f(x).load(g().read_pickle('x'))",
        "from multiprocessing.reduction import ForkingPickler\nForkingPickler.loads(b'')",
        "import multiprocessing as m\nm.Pipe()[0].recv()",
        "from multiprocessing import connection",
        "import pkgutil\npkgutil.resolve_name('pickle:loads')(b'')",
        "import pydoc\npydoc.locate('pickle')",
        "import torch\ntorch.load('x')",
        "import timeit\ntimeit.timeit('1')",
        "import ctypes\nctypes.pythonapi.PyRun_SimpleString(b'')",
        "from ctypes import pythonapi",
        "from sklearn.utils import parallel\nparallel.joblib.load('x')",
        "import sklearn\nsklearn.utils.parallel.joblib.load('x')",
        "from sklearn.datasets._base import joblib",
        "from .. import joblib\njoblib.load('x')",
        "import pandas.io.pickle as p\np.loads(b'')",
        "import pandas.io.pickle as p\np.pickle.loads(b'')",
        "from pandas.io import pickle as p",
        "from numpy.lib._npyio_impl import load\nload('x')",
        "from numpy.lib import _npyio_impl as n\nn.load('x')",
        "import numpy.lib._npyio_impl as n\nn.load('x')",
        "import numpy as np\nnp.lib._npyio_impl.load('x')",
    ],
)
def test_forbidden_code_is_found(code):
    """Other names of a function or module do not hide it."""
    assert find_unpickling(code)


@pytest.mark.parametrize(
    "code",
    [
        "import json\njson.load(file)",
        "import re\nre.compile('x')",
        "import joblib\njoblib.cpu_count()",
        "from joblib.numpy_pickle import NumpyPickler\nNumpyPickler(file)",
        "import numpy as np\nnp.load('x', allow_pickle=False)",
        "from numpy import load\nload('x', allow_pickle=False)",
        "import numpy as np\nnp.lib.format.read_array('x', allow_pickle=False)",
        "import yaml\nyaml.safe_load('x')",
        "import yaml\nclass L(yaml.SafeLoader):\n    pass\nyaml.load('x', L)",
        "from importlib import metadata, resources",
        "import sys\nsys.argv",
    ],
)
def test_other_code_passes(code):
    """Functions of similar names read no pickles."""
    assert [] == find_unpickling(code)
