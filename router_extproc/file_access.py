"""Who besides us could change what is in a folder, by owner, mode and the folders above it.

An answer is given to clients as it is stored: whoever can write the cache's files, or put other files in
their place, answers in the name of the model. So such a folder is refused.

Refused: what belongs to another user; what group or others may write; links of others on the way; links
inside; folders above in which everybody may rename (without a sticky bit), but for a mount point: who
mounts a volume decides who shares it. Taken back by `close_to_others`: what others may only read, and what
Kubernetes gives to the pod's own group at each mount (`fsGroup`: set-group-ID folders of a group of ours).

Source: inode(7), sticky(7); Kubernetes, "Configure volume permission and ownership change policy".
"""

from __future__ import annotations

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from router_extproc.private_files import take_from_others

_ROOT: Final = 0
#: As the kernel (path_resolution(7)).
_LINKS_MAX: Final = 40

Found = tuple[Path, os.stat_result]


class NotPrivateError(Exception):
    """Somebody else could change the folder; the text says who, and what to do."""


def close_to_others(path: Path) -> tuple[Path, ...]:
    """Make sure that nobody else can change or read what is in the folder (or file); what was changed.

    One that is not there yet is no problem if nobody else could put it there.

    Raises:
        NotPrivateError: somebody else could change it, or could have.
    """
    problem = find_problem(path)
    if problem is not None:
        raise NotPrivateError(problem)
    try:
        # The folder first: from then on nobody else reaches what is inside.
        return tuple(each for each, _ in _with_contents(path.resolve()) if take_from_others(each))
    except OSError as error:
        raise NotPrivateError(f"cannot close {error.filename or path} to others: {error.strerror}") from error


def find_problem(path: Path, *, contents: bool = True) -> str | None:
    """Why the folder (or file) is not private, or None; changes nothing.

    contents: look at all that is in it, too.
    """
    try:
        above, own = _walk(path.absolute())
        found = (_problem_above(*each, subject=path) for each in above)
        problem = next((each for each in found if each is not None), None)
        if problem is not None or own is None:
            return problem
        return _problem_within(path, own, contents=contents)
    except OSError as error:
        return f"cannot look at {error.filename or path}: {error.strerror}"


def _walk(path: Path) -> tuple[list[Found], Found | None]:
    """Every folder and link on the way, from the root on, and what the path leads to, if it is there."""
    todo, here, links = list(reversed(path.parts)), Path(path.anchor), 0
    above: list[Found] = []
    while todo:
        part = todo.pop()
        step = here.parent if part == ".." else here / part
        try:
            found = step.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return above, None
        if stat.S_ISLNK(found.st_mode):
            links += 1
            if links > _LINKS_MAX:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = step.readlink()
            here = Path(target.anchor) if target.is_absolute() else here
            todo.extend(reversed(target.parts))
        elif todo:
            here = step
        else:
            return above, (step, found)
        above.append((step, found))
    return above, None


def _problem_above(path: Path, found: os.stat_result, *, subject: Path) -> str | None:
    if stat.S_ISLNK(found.st_mode):
        if found.st_uid in (_ROOT, os.geteuid()):
            return None
        return f"{path} is a link of {_name(found.st_uid)}: write the path of the folder itself"
    everybody = found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX
    if everybody and not path.is_mount():
        return f"every user can replace {subject}: run `chmod o-w {path}`, or choose another folder"
    return None


def _problem_within(path: Path, own: Found, *, contents: bool) -> str | None:
    group = _group_of_the_volume(own[1])
    looked_at = _with_contents(own[0]) if contents else iter([own])
    found = (_problem_of(*each, group=group, subject=path) for each in looked_at)
    return next((each for each in found if each is not None), None)


def _problem_of(each: Path, found: os.stat_result, *, group: int | None, subject: Path) -> str | None:
    if stat.S_ISLNK(found.st_mode):
        return f"{each} is a link, which router-extproc never creates: remove it"
    if found.st_uid != os.geteuid():
        if each.is_mount():
            return (
                f"{each} is the volume itself: name a folder inside it, which is created at the first start"
            )
        return (
            f"{each} belongs to {_name(found.st_uid)}, but this process runs as {_name(os.geteuid())}: run"
            f" `chown -R {os.geteuid()} {subject}` if you trust its content, or name another folder"
        )
    everybody = found.st_mode & stat.S_IWOTH
    if everybody or (found.st_mode & stat.S_IWGRP and found.st_gid != group):
        who = "every user" if everybody else f"group {found.st_gid}"
        hint = f"run `chmod -R go-rwx {subject}` if you trust its content, or name another folder"
        return f"{who} can write to {each}: {hint}"
    return None


def _group_of_the_volume(found: os.stat_result) -> int | None:
    """The group that Kubernetes gives the volume to, if it did: our own, on a set-group-ID folder."""
    given = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISGID
    return found.st_gid if given and found.st_gid in {os.getegid(), *os.getgroups()} else None


def _with_contents(path: Path) -> Iterator[Found]:
    """The path and all that is in it, folders before their contents; no link is followed."""
    try:
        found = path.lstat()
    except FileNotFoundError:  # who has it open just removed it
        return
    yield path, found
    if stat.S_ISDIR(found.st_mode):
        for each in sorted(path.iterdir()):
            yield from _with_contents(each)


def _name(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"
