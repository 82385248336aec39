"""What a user may choose, each option stated once: as a field of a frozen dataclass in the room that uses it.

Flags, --help, config.json and the check for resuming follow from these fields (`cli`, `training.resume`).
A command's configuration is such a dataclass, too: its fields are options of its own, and groups of them.
"""

import dataclasses
import types
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from deepfake_tfdata.errors import UserError
from deepfake_tfdata.storage import expanded

_KEY, _WITHOUT = "option", "without"
_AnyOptions = TypeVar("_AnyOptions", bound="Options")


@dataclass(frozen=True)
class Option:
    """One option: a field of an `Options` with all that is known about it.

    Attributes:
        name: of the field, and of the flag.
        kind: str, int, float, bool, or tuple for a list of texts.
        default: its value where nobody gives one; dataclasses.MISSING where somebody has to.
        meaning: for a person.
        choices: the values allowed; empty where there are more than can be listed.
        low, high: the range, ends included; None where it has no such end.
        above, below: the same, ends excluded. A range starts with low or above.
        is_path: whether it names a file or folder, in which a leading ~ is the user's home.
        may_change: whether a run may be resumed with another value: it changes how long or where the run
            works, and not what it computes.
    """

    name: str
    kind: type
    default: Any
    meaning: str
    choices: Sequence[str] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    below: float | None = None
    is_path: bool = False
    may_change: bool = False

    @property
    def range(self) -> str:
        """The range in words, such as '0 to below 1'; '' where everything is allowed."""
        if self.above is not None:
            return f"more than {self.above:g}" + ("" if self.below is None else f", below {self.below:g}")
        if self.low is None:
            return ""
        if self.below is not None:
            return f"{self.low:g} to below {self.below:g}"
        return f"{self.low:g} or more" if self.high is None else f"{self.low:g} to {self.high}"

    def check(self, value: Any) -> None:
        """Raises UserError for a value that is not among the choices or out of the range, and for a list that
        has an empty text or one twice.
        """
        if self.kind is tuple:
            self._check_texts(value)
        for chosen in value if self.kind is tuple else (value,):
            if self.choices and chosen not in self.choices:
                raise UserError(f"--{self.name}={chosen} is unknown; choose from {', '.join(self.choices)}")
        if value is None:
            return
        # Whether it is inside, for not-a-number compares with nothing.
        inside = (
            (self.low is None or value >= self.low)
            and (self.above is None or value > self.above)
            and (self.high is None or value <= self.high)
            and (self.below is None or value < self.below)
        )
        if not inside:
            raise UserError(f"--{self.name}={value} is out of range; use {self.range}")

    def _check_texts(self, texts: Sequence[str]) -> None:
        given = f"--{self.name}={','.join(texts)}"
        for text, times in Counter(texts).items():
            if not text.strip():
                raise UserError(f"{given} has nothing between two commas or at an end; leave a comma out")
            if times > 1:
                raise UserError(f"{given} has {text} {times} times; name it once")


def option(default: Any = dataclasses.MISSING, meaning: str = "", **limits: Any) -> Any:
    """A field of an `Options`. The arguments are those of `Option`; name and kind are the field's."""
    return dataclasses.field(default=default, metadata={_KEY: {"meaning": meaning, **limits}})


def group(options: type["Options"], without: Sequence[str] = ()) -> Any:
    """A field of an `Options` that holds further ones; its default is theirs.

    Args:
        options: the class.
        without: options in it, or in its groups, that nobody is to choose: they keep their defaults.
    """
    return dataclasses.field(default_factory=options, metadata={_WITHOUT: frozenset(without)})


class Options:
    """A frozen dataclass of options, checked when one is made; names of paths are `expanded` then.

    A subclass that knows which options don't go together says so in its own __post_init__.
    """

    def __post_init__(self) -> None:
        """Raises UserError for the first value that is not allowed."""
        for each in options_of(type(self)):
            value = getattr(self, each.name)
            if each.is_path:
                places = tuple(map(expanded, value)) if each.kind is tuple else expanded(value)
                object.__setattr__(self, each.name, places)
            each.check(getattr(self, each.name))


def options_of(cls: type[Options]) -> Iterator[Option]:
    """The options of a class itself, without those of its groups."""
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
        if _KEY in field.metadata:
            yield Option(field.name, _kind(hints[field.name]), field.default, **field.metadata[_KEY])


def groups_of(cls: type[Options]) -> Iterator[tuple[str, type[Options], frozenset[str]]]:
    """The names and classes of the groups in a class, and which of their options nobody is to choose."""
    hints = get_type_hints(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # every subclass is a dataclass
        if _WITHOUT in field.metadata:
            yield field.name, hints[field.name], field.metadata[_WITHOUT]


def all_options(cls: type[Options]) -> Iterator[Option]:
    """The options of a class and of all its groups, theirs included."""
    yield from options_of(cls)
    for _, inner, without in groups_of(cls):
        yield from (each for each in all_options(inner) if each.name not in without)


def build(cls: type[_AnyOptions], values: Mapping[str, Any]) -> _AnyOptions:
    """Makes options, with their groups, of values by name; other names are passed over.

    Raises:
        UserError: a value is missing or not allowed.
    """
    arguments: dict[str, Any] = {
        name: build(inner, {key: value for key, value in values.items() if key not in without})
        for name, inner, without in groups_of(cls)
    }
    for each in options_of(cls):
        value = values.get(each.name, each.default)
        if value is dataclasses.MISSING:
            raise UserError(f"--{each.name} is missing; try --help")
        arguments[each.name] = tuple(value) if each.kind is tuple else value
    return cls(**arguments)


def flat(options: Options) -> dict[str, Any]:
    """The values of all options by name; what `build` takes."""
    values = {each.name: getattr(options, each.name) for each in options_of(type(options))}
    for name, _, without in groups_of(type(options)):
        inner = flat(getattr(options, name))
        values.update({key: value for key, value in inner.items() if key not in without})
    return values


def _kind(hint: Any) -> type:
    """The type of an option's values: that of `int | None` is int, of tuple[str, ...] tuple."""
    if isinstance(hint, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    kind: type = get_origin(hint) or hint
    return kind
