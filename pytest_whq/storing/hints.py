"""Readers that follow from the type hints of the model: what a class says is what its file must hold."""

from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pytest_whq.storing.fields import (
    Reader,
    count,
    counts_by_name,
    flag,
    list_of,
    number,
    object_of,
    one_of,
    optional,
    text,
    texts_by_name,
)


def dataclass_of(
    cls: type[Any],
    own: Mapping[str, Reader[Any]] | None = None,
    *,
    renamed: Mapping[str, str] | None = None,
    may_lack: Collection[str] = (),
) -> Reader[Any]:
    """A reader of an object with the fields of the dataclass ``cls``, which it returns.

    A field's reader follows from its type, unless ``own`` has one for it. ``renamed`` maps a
    field's name in the file to its name in ``cls``; those in ``may_lack`` may be absent.
    """
    renamed = renamed or {}
    stored = {name: key for key, name in renamed.items()}
    readers = {stored.get(name, name): reader for name, reader in readers_of(cls, own).items()}
    read_object = object_of(readers, may_lack)
    read = read_object.read
    schema = {"title": cls.__name__, **read_object.schema}
    if not renamed:
        return Reader(lambda value: cls(**read(value)), schema)
    return Reader(
        lambda value: cls(**{renamed.get(key, key): item for key, item in read(value).items()}), schema
    )


def readers_of(cls: type[Any], own: Mapping[str, Reader[Any]] | None = None) -> dict[str, Reader[Any]]:
    """A reader for each field of the dataclass ``cls``: from ``own``, else by the field's type."""
    own = own or {}
    hints = get_type_hints(cls)
    return {field.name: own.get(field.name) or reader_for(hints[field.name]) for field in fields(cls)}


_SCALARS: Mapping[object, Reader[Any]] = {str: text, bool: flag, int: count, float: number}


def reader_for(hint: Any) -> Reader[Any]:
    """The reader that a type hint tells; TypeError where it tells none."""
    arguments = get_args(hint)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return dataclass_of(hint)
    if get_origin(hint) is Literal:
        return one_of(arguments)
    if get_origin(hint) in (UnionType, Union) and arguments[1:] == (NoneType,):
        return optional(reader_for(arguments[0]))
    if get_origin(hint) is tuple and arguments[1:] == (...,):
        return list_of(reader_for(arguments[0]))
    if get_origin(hint) is Mapping and arguments == (str, int):
        return counts_by_name
    if get_origin(hint) is Mapping and arguments == (str, str):
        return texts_by_name
    raise TypeError(f"{hint} does not tell how it is read: give its field a reader")
