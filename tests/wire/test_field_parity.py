"""Every field of `protos/ext_proc.proto` has Envoy's number, type and shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from types import ModuleType

import pytest
from envoy_data_plane.envoy.config.core import v3 as core
from envoy_data_plane.envoy.extensions.filters.http.ext_proc import v3 as filters
from envoy_data_plane.envoy.service.ext_proc import v3 as service
from envoy_data_plane.envoy.type import v3 as types
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from router_extproc._pb import ext_proc_pb2 as pb

HOMES: tuple[ModuleType, ...] = (service, core, filters, types)
TYPE_NAMES = {
    FieldDescriptor.TYPE_STRING: "string",
    FieldDescriptor.TYPE_BYTES: "bytes",
    FieldDescriptor.TYPE_BOOL: "bool",
    FieldDescriptor.TYPE_UINT32: "uint32",
    FieldDescriptor.TYPE_ENUM: "enum",
    FieldDescriptor.TYPE_MESSAGE: "message",
    # HttpStatus.code is an enum there; both are the same number on the wire.
    FieldDescriptor.TYPE_INT32: "enum",
}
MESSAGES = tuple(pb.DESCRIPTOR.message_types_by_name.values())
ENUMS = tuple(enum for message in MESSAGES for enum in message.enum_types)


def theirs(name: str) -> type:
    (found,) = [getattr(home, name) for home in HOMES if hasattr(home, name)]
    assert isinstance(found, type)
    return found


def their_fields(message: Descriptor) -> dict[str, tuple[int, str, bool, str | None]]:
    """Name to number, type, repeated, oneof."""
    return {
        field.name: (meta.number, meta.proto_type, meta.repeated or meta.map_meta is not None, meta.group)
        for field in dataclasses.fields(theirs(message.name))
        for meta in [field.metadata["betterproto"]]
    }


def our_fields(message: Descriptor) -> Iterator[tuple[str, tuple[int, str, bool, str | None]]]:
    for field in message.fields:
        group = field.containing_oneof.name if field.containing_oneof else None
        kind = "map" if field.message_type and field.message_type.GetOptions().map_entry else None
        yield field.name, (field.number, kind or TYPE_NAMES[field.type], field.is_repeated, group)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
def test_every_field_is_envoys(message: Descriptor) -> None:
    expected = their_fields(message)
    assert {name: expected[name] for name, _ in our_fields(message)} == dict(our_fields(message))


@pytest.mark.parametrize("enum", ENUMS, ids=lambda enum: enum.name)
def test_every_enum_is_envoys(enum: EnumDescriptor) -> None:
    outer = enum.containing_type.name if enum.containing_type else ""
    expected = {member.name: member.value for member in theirs(f"{outer}{enum.name}")}  # type: ignore[attr-defined]  # an enum
    assert {value.name: value.number for value in enum.values} == expected


@pytest.mark.parametrize(
    ("message", "field", "number"),
    [
        (pb.ProcessingRequest, "protocol_config", 11),
        (pb.ProcessingResponse, "streamed_immediate_response", 11),
    ],
)
def test_the_newest_fields_are_there(message: type, field: str, number: int) -> None:
    """Both are new in Envoy 1.40 (streamed) or easily overlooked."""
    assert message.DESCRIPTOR.fields_by_name[field].number == number  # type: ignore[attr-defined]  # a message


def test_the_python_package_and_the_proto_package_are_private() -> None:
    """Envoy's own names belong to other packages: two owners in one process would collide."""
    assert pb.DESCRIPTOR.package == "router_extproc.ext_proc.v3"
