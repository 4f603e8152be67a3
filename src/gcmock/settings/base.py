"""The base of all settings: sections, units in text, TOML, values that win, errors that help."""

from __future__ import annotations

import difflib
import json
import textwrap
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    runtime_checkable,
)

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from gcmock.errors import InputError, few_lines, shown

Settings = TypeVar("Settings", bound=BaseModel)


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are finite and do not change."""

    # Deferred: building the validators would double the time of an import.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    former_names: ClassVar[Mapping[str, str]] = {}
    """Names that keys had, and those that they have now: read with a warning until 0.4."""

    @model_validator(mode="before")
    @classmethod
    def _from_former_names(cls, values: Any) -> Any:
        former = [
            name for name in cls.former_names if isinstance(values, Mapping) and name in values
        ]
        if not former:
            return values
        found = dict(values)
        for old in former:
            new = cls.former_names[old]
            if new in found:
                raise ValueError(f"{old} is the former name of {new}, which is given as well")
            found[new] = found.pop(old)
            text = f"the setting {old} is now {new}; the former name ends with version 0.4"
            warnings.warn(text, FutureWarning, stacklevel=1)
        return found

    @field_validator("*", mode="before")
    @classmethod
    def _no_truth_value(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse true and false where a number or a text is meant: true is not 1."""
        if isinstance(value, bool) and not _takes_truth_value(
            cls.model_fields[info.field_name or ""].annotation
        ):
            raise ValueError("expected a value, not true or false")
        return value


def _takes_truth_value(annotation: Any) -> bool:
    return annotation in (bool, Any) or any(map(_takes_truth_value, get_args(annotation)))


@runtime_checkable
class HasChoices(Protocol):
    """A mark of a key, beside its type, that knows what the key may be."""

    def choices(self) -> tuple[str, ...]:
        """Return the values that may be given."""
        ...


def _in_unit(unit: str) -> Callable[[Any], Any]:
    """Accept text such as "8.16 kpc" where a number in `unit` is expected."""

    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        # Imported here: astropy is slow to import, and most settings are plain numbers.
        from astropy.units import Quantity, UnitConversionError

        try:
            return float(Quantity(value).to_value(unit))
        except (TypeError, ValueError, UnitConversionError, OverflowError) as error:
            raise ValueError(f'expected a number in {unit} or text such as "1.5 {unit}"') from error

    return convert


Parsec = Annotated[float, BeforeValidator(_in_unit("pc"))]
Degree = Annotated[float, BeforeValidator(_in_unit("deg"))]
KmPerSecond = Annotated[float, BeforeValidator(_in_unit("km/s"))]
Milliarcsecond = Annotated[float, BeforeValidator(_in_unit("mas"))]
Magnitude = Annotated[float, BeforeValidator(_in_unit("mag"))]

# Ranges that several settings share: what an instrument or the Galaxy can have, with room.
ApparentMagnitude = Annotated[Magnitude, Field(ge=-5.0, le=35.0)]
JulianYear = Annotated[float, Field(ge=1800.0, le=2200.0)]
Longitude = Annotated[Degree, Field(ge=-180.0, le=360.0)]
Latitude = Annotated[Degree, Field(ge=-90.0, le=90.0)]
# Threads or processes: more than a machine has cores would only use up its memory.
Workers = Annotated[int, Field(ge=0, le=1024)]


def validated(model: type[Settings], values: Mapping[str, Any], source: str) -> Settings:
    """Return checked settings.

    Parameters
    ----------
    model : type
        The settings: a `pydantic.BaseModel` whose fields are sections or plain values.
    values : mapping
        Values as TOML gives them.
    source : str
        Where they come from, for the errors.

    Raises
    ------
    InputError
        If a setting is wrong; one line per problem.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        places = [problem["loc"] for problem in error.errors()]
        # A list whose members are wrong counts as too short as well: only the members are named.
        lines = [
            f"{source}: {explain(problem, model)}"
            for problem in error.errors()
            if not any(p != problem["loc"] == p[: len(problem["loc"])] for p in places)
        ]
        raise InputError("\n".join(few_lines(lines))) from error


def override(values: dict[str, Any], overrides: Mapping[str, Any] | None) -> None:
    """Put values into nested ones, in place.

    Parameters
    ----------
    values : dict
        Nested values, as TOML gives them.
    overrides : mapping, optional
        Values that win: ``{"run": {"seed": 2}}`` or ``{"run.seed": 2}``. A value None means "not
        given".
    """
    for key, value in (overrides or {}).items():
        head, _, rest = key.partition(".")
        inner = {rest: value} if rest else value
        if isinstance(inner, Mapping):
            section = values.setdefault(head, {})
            # Anything but a section is left to the check of the values, which explains it.
            if isinstance(section, dict):
                override(section, inner)
        elif inner is not None:
            values[head] = inner


def closest(name: str, names: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the one that was meant, or all."""
    known = list(names)
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {matches[0]!r}?" if matches else f"; known: {', '.join(known)}"


def explain(problem: Any, model: type[BaseModel]) -> str:
    """Turn one error of pydantic into: where, what was given, what is expected.

    Parameters
    ----------
    problem : mapping
        One of `pydantic.ValidationError.errors`.
    model : type
        The settings that were checked.

    Returns
    -------
    str
        Such as ``[run] sede: unknown key; did you mean 'seed'?``
    """
    where, given = problem["loc"], problem["input"]
    place = _place(where, model, given)
    match problem["type"]:
        case "extra_forbidden":
            owner = _owner(where, model)
            kind = "section" if len(where) == 1 and isinstance(given, dict | list) else "key"
            names = _fields_of(owner) if owner else ()
            return f"{place}: unknown {kind}{closest(str(where[-1]), names)}"
        case "missing" if isinstance(where[-1], int):
            expected = "expected one value more"
        case "missing":
            return f"{place}: is missing{_needed(where, model)}"
        case "model_type" | "dict_type":
            expected = "expected a section with keys"
        case "tuple_type" if section_in(_annotation(where, model)):
            expected = f"expected sections in two brackets, [[{where[-1]}]]"
        case kind:
            text = problem["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            expected = text if kind == "value_error" else f"expected {text}"
    value = "" if isinstance(given, Mapping | BaseModel) else f" = {shown(given)}"
    return f"{place}{value}: {expected}"


def _place(where: tuple[Any, ...], model: type[BaseModel], given: Any) -> str:
    """Name a setting as TOML has it: ``[run] seed``, ``[[survey]] 2: name``."""
    if not where:
        return "settings"
    head, *inner = where
    field = _fields_of(model).get(head)
    annotation = field.annotation if field else None
    is_section = isinstance(given, dict | list) if field is None else _is_section(annotation)
    # Members of a list are counted from 1.
    inner = [str(key + 1) if isinstance(key, int) else key for key in inner]
    if not is_section:
        return ".".join([head, *inner])
    if get_origin(annotation) is tuple:
        head = f"[[{head}]]"
        if inner:
            number, *inner = inner
            head += f" {number}" + (":" if inner else "")
    else:
        head = f"[{head}]"
    return " ".join([head, *([".".join(inner)] if inner else [])])


def _needed(where: tuple[Any, ...], model: type[BaseModel]) -> str:
    """Say how a missing list of sections begins."""
    annotation = _annotation(where, model)
    section = section_in(annotation)
    if section is None or get_origin(annotation) is not tuple:
        return ""
    required = [name for name, field in section.model_fields.items() if field.is_required()]
    keys = " and ".join(f"{name} = ..." for name in required)
    return f"; expected at least one [[{where[-1]}]] with {keys}"


def _owner(where: tuple[Any, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """Return the section that holds the last key of a place."""
    owner: type[BaseModel] | None = model
    for key in where[:-1]:
        # Numbers of members and the names of alternative types are no keys.
        if owner is not None and key in _fields_of(owner):
            owner = section_in(_fields_of(owner)[key].annotation)
    return owner


def _fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the keys of a section as TOML has them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _annotation(where: tuple[Any, ...], model: type[BaseModel]) -> Any:
    owner = _owner(where, model)
    field = _fields_of(owner).get(str(where[-1])) if owner else None
    return field.annotation if field else None


def section_in(annotation: Any) -> type[BaseModel] | None:
    """Return the section of ``Section``, ``Section | None`` and ``tuple[Section, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(section_in, get_args(annotation))), None)


def _is_section(annotation: Any) -> bool:
    return section_in(annotation) is not None or get_origin(annotation) is dict


def to_toml(config: BaseModel, *, comments: bool) -> str:
    """Return settings as TOML that reads back to the same settings.

    Parameters
    ----------
    config : BaseModel
        Plain values, sections by name, tuples of sections, and mappings of text to text. What is
        None is left out: TOML has no word for it.
    comments : bool
        Put the description and the choices of every key above it, and show the keys that are not
        set with an example.
    """
    fields = type(config).model_fields
    plain = [name for name in fields if not _is_section(fields[name].annotation)]
    blocks = ["\n".join(_lines(config, plain, comments=comments))] if plain else []
    for name in fields:
        section = getattr(config, name)
        if name in plain or section is None:
            continue
        several = isinstance(section, tuple)
        for one in section if several else [section]:
            lines = [f"[[{name}]]" if several else f"[{name}]"]
            if isinstance(one, BaseModel):
                lines += _lines(one, type(one).model_fields, comments=comments)
            else:
                if comments:
                    lines += _comment(f"{fields[name].description}:")
                    lines += [
                        f"# {key} = {toml_value(value)}"
                        for example in fields[name].examples or ()
                        for key, value in example.items()
                    ]
                lines += [f"{key} = {toml_value(value)}" for key, value in one.items()]
            blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def _lines(section: BaseModel, names: Iterable[str], *, comments: bool) -> list[str]:
    """Return the keys of a section as lines."""
    lines = []
    for name in names:
        field, value = type(section).model_fields[name], getattr(section, name)
        if comments:
            lines += _comment(f"{field.description}{_choices(field)}{_range(field)}")
        # An empty mapping would forbid a section of its name below.
        if value is not None and value != {}:
            lines.append(f"{name} = {toml_value(value)}")
        elif comments:
            lines += [f"# {name} = {toml_value(example)}" for example in field.examples or ()]
    return lines


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 95, initial_indent="# ", subsequent_indent="#   ")


def _choices(field: FieldInfo) -> str:
    """Return the choices of a key, for its comment; empty if it is not one of few."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    for mark in field.metadata:
        choices = mark.choices() if isinstance(mark, HasChoices) else choices
    return ": " + " | ".join(json.dumps(choice) for choice in choices) if choices else ""


def _range(field: FieldInfo) -> str:
    """Return the range of a number, for its comment; empty if it has none on both sides."""

    def limit(*names: str) -> Any:
        return next((getattr(m, n) for m in field.metadata for n in names if hasattr(m, n)), None)

    low, high = limit("ge", "gt"), limit("le", "lt")
    return "" if low is None or high is None else f" ({low:g} to {high:g})"


def toml_value(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{key} = {toml_value(one)}" for key, one in value.items())
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    if isinstance(value, float):
        return repr(value)
    # JSON's text, numbers and booleans are valid TOML, DEL apart, which JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
