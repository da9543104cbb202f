"""What is configured: a class found by name, with settings that are typed, documented and refused in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, cast, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from ..errors import InputError


class MethodConfig(BaseModel):
    """Base of every typed configuration: frozen, an unknown key is an error, field docstrings are its help."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    @classmethod
    def keys(cls, values: Mapping[str, Any]) -> list[str]:
        """Return the keys that a configuration which begins like ``values`` may have."""
        return list(cls.model_fields)


ConfigT = TypeVar("ConfigT", bound=MethodConfig)


class Configured(Generic[ConfigT]):
    """Something with a ``name`` and a ``config``: a method, a descriptor, a network to train.

    A class that can be configured derives from its base with the type of its configuration in brackets, such as
    ``Method[MyConfig]``; its ``config`` is then a ``MyConfig``.
    """

    name: ClassVar[str]
    Config: ClassVar[type[MethodConfig]] = MethodConfig

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for argument in (argument for base in cls.__dict__.get("__orig_bases__", ()) for argument in get_args(base)):
            if isinstance(argument, type) and issubclass(argument, MethodConfig):
                cls.Config = argument

    def __init__(self, config: ConfigT | None = None) -> None:
        self.config: ConfigT = cast(ConfigT, self.Config()) if config is None else config


def validated(config: type[MethodConfig], values: Mapping[str, Any] | None, *, origin: str) -> Any:
    """Return a configuration from plain values.

    Raises ``InputError`` that begins with ``origin`` and names the key where a key is unknown or its value does not
    fit.
    """
    try:
        return config.model_validate(values or {})
    except ValidationError as error:
        raise InputError(f"{origin}: {_problem(config, values or {}, error)}") from error


def _problem(config: type[MethodConfig], values: Mapping[str, Any], error: ValidationError) -> str:
    """Say in one line what is wrong with a configuration: the first problem, with its key."""
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        allowed = ", ".join(_keys_beside(config, values, problem["loc"])) or "none"
        return f"unknown configuration key {key!r}; allowed: {allowed}"
    said = problem["msg"].removeprefix("Value error, ")  # what a validator of ours raised
    return f"configuration key {key!r}: {said} (given: {problem['input']!r})" if key else said


def _keys_beside(config: type[MethodConfig], values: Any, location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the (nested) configuration may have which holds the key at ``location``."""
    for part in location[:-1]:
        nested = config.model_fields[str(part)].annotation if str(part) in config.model_fields else None
        if not (isinstance(nested, type) and issubclass(nested, MethodConfig)):
            return []
        config, values = nested, values[part]
    return config.keys(values)
