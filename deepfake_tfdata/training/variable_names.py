"""Names of a run's variables, the same in every process.

Keras numbers what nobody named by how many of it the process has made, so that a second model's `conv2d` may
be `conv2d_7`. Here such names are numbered within their parent.
"""

import re
from collections.abc import Iterator

import keras


def model_variables(model: keras.Layer) -> dict[str, keras.Variable]:
    """A model's variables, seeds included, by where they are in it: 'backbone/block1_conv/kernel'."""
    named: dict[str, keras.Variable] = {}
    children = [layer for layer in model._layers if layer.variables]
    of_children = {id(variable) for child in children for variable in child.variables}
    for variable in model.variables:
        if id(variable) not in of_children:
            named[_unused(_unnumbered(variable.name, "variable"), named)] = variable
    taken: set[str] = set()
    for child in children:
        name = _unused(_unnumbered(child.name, type(child).__name__), taken)
        taken.add(name)
        named.update({f"{name}/{inner}": variable for inner, variable in model_variables(child).items()})
    return named


def optimizer_variables(
    optimizer: keras.optimizers.Optimizer, of_model: dict[str, keras.Variable]
) -> dict[str, keras.Variable]:
    """A built optimizer's variables: 'iterations', or 'momentums/NAME' with the model's variable's name.

    Args:
        optimizer: perhaps one that wraps another.
        of_model: from `model_variables`.

    Raises:
        ValueError: it keeps variables in a way that is not known here.
    """
    names = {id(variable): name for name, variable in of_model.items()}
    own = {id(variable) for variable in optimizer.variables}
    named = {name: variable for name, variable in _kept(optimizer, names) if id(variable) in own}
    if len(named) < len(own):
        raise ValueError(f"not all variables of {type(optimizer).__name__} have a name")
    return named


def _kept(
    optimizer: keras.optimizers.Optimizer, names: dict[int, str]
) -> Iterator[tuple[str, keras.Variable]]:
    """What an optimizer's attributes hold: variables, lists of one a variable of the model, an optimizer."""
    for attribute, value in vars(optimizer).items():
        attribute = attribute.strip("_")
        if isinstance(value, keras.Variable):
            yield attribute, value
        elif isinstance(value, keras.optimizers.Optimizer):
            yield from ((f"{attribute}/{name}", variable) for name, variable in _kept(value, names))
        elif isinstance(value, list) and attribute != "variables":
            for variable, kept in zip(optimizer._trainable_variables, value, strict=False):
                if isinstance(kept, keras.Variable):
                    yield f"{attribute}/{names[id(variable)]}", kept


def _unnumbered(name: str, kind: str) -> str:
    """Without the number, where Keras made the name of the kind; as it is, where somebody chose it."""
    stem = re.sub(r"_\d+$", "", name)
    return stem if stem.replace("_", "") == kind.lower() else name


def _unused(name: str, taken: dict[str, keras.Variable] | set[str]) -> str:
    """The name, or where it is taken the first of NAME_1, NAME_2 that is not."""
    number, unused = 0, name
    while unused in taken:
        number += 1
        unused = f"{name}_{number}"
    return unused
