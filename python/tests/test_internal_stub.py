"""The stub of the extension module says what the extension itself says of its functions.

mypy's stubtest cannot look into functions of nanobind, which carry their signature as text.
"""

import ast
import re
import types
from importlib import resources

import pytest

from skd import _native

ARRAYS = {"uint8": "_Bytes", "int64": "_Integers", "float32": "_Floats", "float64": "_Doubles"}
STUB = ast.parse(resources.files("skd").joinpath("_native.pyi").read_text())
ALIASES = {node.targets[0].id: node.value for node in STUB.body if isinstance(node, ast.Assign)}
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}
CONSTANTS = {
    node.target.id: node.annotation.id for node in STUB.body if isinstance(node, ast.AnnAssign)
}
CLASSES = {
    node.name: {member.name: member for member in node.body}
    for node in STUB.body
    if isinstance(node, ast.ClassDef)
}
METHODS = [(name, method) for name, methods in CLASSES.items() for method in methods]


def array(match):
    """Return what the stub calls an array of nanobind, whose shape and order it leaves out."""
    dtype = re.search(r"dtype=(\w+)", match.group())
    return ARRAYS[dtype.group(1)] if dtype else "NDArray[Any]"


def held(member):
    """Return the definition that nanobind made of a function, as a tree."""
    ((signature, *_),) = member.__nb_signature__
    signature = re.sub(r"ndarray\[[^]]*\]", array, signature)
    # The getter of a property has no name.
    return ast.parse(signature.replace("def (", "def getter(") + ": ...").body[0]


def agree(held, stub):
    """Tell whether the stub's type is that of nanobind, or says what is inside a bare one."""
    if isinstance(stub, ast.Name):
        stub = ALIASES.get(stub.id, stub)
    if isinstance(held, ast.Name):
        held = ALIASES.get(held.id, held)
    if isinstance(held, ast.Attribute):  # numpy.float32, skd._native.Model
        held = ast.Name(held.attr)
    if isinstance(stub, ast.Attribute):
        stub = ast.Name(stub.attr)
    if isinstance(stub, ast.Subscript) and isinstance(held, ast.Name):
        return agree(held, stub.value)
    if type(held) is not type(stub):
        return False
    if isinstance(held, ast.Name):
        return held.id == stub.id
    if isinstance(held, ast.Constant):
        return held.value == stub.value
    pairs = zip(ast.iter_child_nodes(held), ast.iter_child_nodes(stub), strict=True)
    return all(agree(*pair) for pair in pairs)


def assert_same_signature(held, stub):
    """Compare parameters, in order, with their types, and the type of the result."""
    assert [a.arg for a in held.args.args] == [a.arg for a in stub.args.args]
    assert [a.arg for a in held.args.kwonlyargs] == [a.arg for a in stub.args.kwonlyargs]
    assert not stub.args.defaults
    ours_and_theirs = (
        *zip(held.args.args, stub.args.args, strict=True),
        *zip(held.args.kwonlyargs, stub.args.kwonlyargs, strict=True),
    )
    for ours, theirs in ours_and_theirs:
        if ours.arg != "self":
            assert agree(ours.annotation, theirs.annotation), ast.unparse(ours)
    assert agree(held.returns, stub.returns), ast.unparse(held.returns)


def public(names):
    special = {"__init__", "__enter__", "__exit__"}
    return {name for name in names if not name.startswith("__") or name in special}


def bound(members):
    """Return the names that the extension binds, without what every class has of Python."""
    kinds = types.WrapperDescriptorType
    return public(name for name, member in members.items() if not isinstance(member, kinds))


def test_it_names_all_that_the_extension_holds_and_nothing_else():
    assert {*FUNCTIONS, *CONSTANTS, *CLASSES} == public(dir(_native))
    for name, members in CLASSES.items():
        assert set(members) == bound(vars(getattr(_native, name)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_signature_that_the_stub_says(name):
    assert_same_signature(held(getattr(_native, name)), FUNCTIONS[name])


@pytest.mark.parametrize(("class_name", "name"), METHODS)
def test_a_method_has_the_signature_that_the_stub_says(class_name, name):
    member = vars(getattr(_native, class_name))[name]
    is_property = isinstance(member, property)
    stub = CLASSES[class_name][name]
    assert is_property == bool(stub.decorator_list)
    if is_property:
        assert member.fset is None
        assert agree(held(member.fget).returns, stub.returns)
    else:
        assert_same_signature(held(member), stub)


@pytest.mark.parametrize("name", CONSTANTS)
def test_a_constant_has_the_type_that_the_stub_says(name):
    assert type(getattr(_native, name)).__name__ == CONSTANTS[name]


def test_the_comparison_finds_wrong_types():
    def types(*texts):
        return [ast.parse(text, mode="eval").body for text in texts]

    assert agree(*types("collections.abc.Sequence[int]", "Sequence[int]"))
    assert agree(*types("tuple", "tuple[float, float]"))
    assert agree(*types("_Floats | None", "NDArray[numpy.float32] | None"))
    assert not agree(*types("int", "float"))
    assert not agree(*types("_Floats", "_Doubles"))
    assert not agree(*types("_Floats | None", "_Floats"))
    assert not agree(*types("tuple[float, float]", "tuple"))
