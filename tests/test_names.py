"""One name, one thing: no public class, type alias or module name twice in the package; and files of a size to read."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import openbalance_hid

PACKAGE = Path(openbalance_hid.__file__).parent
FILES = {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
MODULES = [path for path in FILES if path.name not in ("__init__.py", "__main__.py")]
SMALL, LARGE = 40, 350  # lines
SMALL_FILES = 10  # so many may be smaller, each with a reason
LONGEST_TEST_NAME = 80


def types_of(path):
    """Yield the public classes and type aliases that a file defines at its top level."""
    for node in ast.parse(FILES[path]).body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.BinOp(op=ast.BitOr()) | ast.Subscript()) if is_type(name):
                yield name
            case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias")):
                yield name


def is_type(name):
    """Return whether a name is written as a type, to distinguish an alias from a constant."""
    return name[0].isupper() and not name.isupper()


def twice(places):
    return {name: sorted(where) for name, where in places.items() if len(where) > 1 and not name.startswith("_")}


def test_no_type_name_occurs_twice_in_the_package():
    places = defaultdict(list)
    for path in FILES:
        for name in types_of(path):
            places[name].append(str(path.relative_to(PACKAGE)))
    assert twice(places) == {}


def test_no_module_name_occurs_twice_in_the_package():
    places = defaultdict(list)
    for path in MODULES:
        places[path.stem].append(str(path.relative_to(PACKAGE)))
    assert twice(places) == {}


def test_files_are_of_a_size_to_read():
    lines = {str(path.relative_to(PACKAGE)): len(FILES[path].splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > LARGE} == {}
    small = {name: count for name, count in lines.items() if count < SMALL}
    assert len(small) <= SMALL_FILES, small


def test_test_names_are_short_enough_to_read():
    tests = [*Path(__file__).parent.rglob("test_*.py")]
    names = {name for path in tests for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))}
    assert len(names) > 1000
    assert [name for name in sorted(names) if len(name) > LONGEST_TEST_NAME] == []
