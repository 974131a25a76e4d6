"""Prints every public name with its signature, for ``public_surface.txt``; this rewrites that file:

python python/tests/support/public_surface.py > python/tests/public_surface.txt
"""

import importlib
import inspect

MODULES = ("callbacks", "datasets", "distributed", "losses", "ops", "plots", "profiling", "recipes")


def written(annotation):
    """Return an annotation as it stands in the code."""
    annotation = getattr(annotation, "__forward_arg__", annotation)
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


def parameters(signature):
    """Yield the parameters as they stand in the code, with the marks between their kinds."""
    marked = False
    for parameter in signature.parameters.values():
        text = parameter.name
        if parameter.kind is parameter.VAR_POSITIONAL:
            text, marked = f"*{text}", True
        elif parameter.kind is parameter.VAR_KEYWORD:
            text = f"**{text}"
        elif parameter.kind is parameter.KEYWORD_ONLY and not marked:
            yield "*"
            marked = True
        if parameter.annotation is not parameter.empty:
            text += f": {written(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}"
        yield text


def signature_of(value):
    """Return the signature of a callable."""
    signature = inspect.signature(value)
    result = f"({', '.join(parameters(signature))})"
    if signature.return_annotation is not signature.empty and not inspect.isclass(value):
        result += f" -> {written(signature.return_annotation)}"
    return result


def members(kind):
    """Yield the lines of the public members of a class that the package defines."""
    for name, member in inspect.getmembers_static(kind):
        if name.startswith("_"):
            continue
        if isinstance(member, property):
            setter = ", settable" if member.fset else ""
            yield f"{name}: {written(inspect.signature(member.fget).return_annotation)}{setter}"
        elif callable(member) or isinstance(member, (classmethod, staticmethod)):
            value = getattr(kind, name)
            if str(getattr(value, "__module__", "")).startswith("skd"):
                yield f"{name}{signature_of(value)}"


def surface():
    """Return the lines of all public names."""
    lines = []
    for module_name in ("skd", *(f"skd.{name}" for name in MODULES)):
        module = importlib.import_module(module_name)
        for name in sorted(module.__all__):
            value, full = getattr(module, name), f"{module_name}.{name}"
            if inspect.ismodule(value):
                lines.append(f"{full}: module")
            elif inspect.isclass(value):
                bases = ", ".join(base.__name__ for base in value.__bases__)
                lines.append(f"class {full}({bases})")
                if not issubclass(value, Exception) or "__init__" in vars(value):
                    lines.append(f"    {name}{signature_of(value)}")
                lines += [f"    {line}" for line in members(value)]
            elif callable(value):
                lines.append(f"{full}{signature_of(value)}")
            else:
                lines.append(f"{full}: {type(value).__name__}")
    return lines


if __name__ == "__main__":
    print("\n".join(surface()))
