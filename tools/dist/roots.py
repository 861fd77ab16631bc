# SPDX-License-Identifier: MIT
"""Bare Debian systems in folders, to build and to test in: made by debootstrap, entered with their own mounts.

A base is made once for each suite and kept in build/roots; what is worked in is a copy of it.
"""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BASES = ROOT / "build" / "roots"
MIRROR = os.environ.get("STEMLANE_DEBIAN_MIRROR", "http://deb.debian.org/debian")
# Who plays music there, with a home that every script has to quote.
USER = "musician"
HOME = "/home/Erika Müller"
_USER_ID = 1000
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def can_be_made() -> bool:
    """True if this system has debootstrap and lets us use it."""
    return shutil.which("debootstrap") is not None and os.geteuid() == 0


def base(suite: str) -> Path:
    """The bare system of `suite`: no compiler, no Python."""
    folder = BASES / suite
    done = folder / "etc" / "stemlane-base"
    if not done.exists():
        remove(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            ["debootstrap", "--variant=minbase", "--include=ca-certificates", suite, folder, MIRROR],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        # Nobody minds if a root is lost in a power cut.
        (folder / "etc/dpkg/dpkg.cfg.d/stemlane").write_text("force-unsafe-io\n", encoding="ascii")
        run(folder, f"useradd --uid {_USER_ID} --create-home --home-dir '{HOME}' --shell /bin/bash {USER}")
        done.touch()
    return folder


def copy(suite: str, target: Path, *, packages: tuple[str, ...] = ()) -> Path:
    """A copy of the bare system to work in, with `packages` from Debian installed."""
    remove(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", "--reflink=auto", base(suite), target], check=True)
    if packages:
        _use_our_network(target)
        names = " ".join(packages)
        run(target, f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {names} > /dev/null")
    return target


def _use_our_network(root: Path) -> None:
    """The root resolves names, and trusts certificates, as this system does."""
    shutil.copyfile("/etc/resolv.conf", root / "etc" / "resolv.conf")
    certificates = Path("/etc/ssl/certs/ca-certificates.crt")
    if certificates.exists():
        shutil.copyfile(certificates, root / "etc" / "our-certificates.crt")


def run(root: Path, script: str, *, user: str = "root", check: bool = True, **options) -> subprocess.CompletedProcess:
    """Run a shell script inside `root` as `user`; it sees neither this system's environment nor its processes."""
    return subprocess.run(command(root, script, user=user), check=check, **options)


def command(root: Path, script: str, *, user: str = "root") -> list[str]:
    """The command line of `run`; its mounts go away with it."""
    account = f"{_USER_ID}:{_USER_ID}" if user == USER else "0:0"
    home = HOME if user == USER else "/root"
    environment = {
        "HOME": home, "USER": user, "PATH": _PATH, "LANG": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
        "PIP_CERT": "/etc/our-certificates.crt", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    if not (root / "etc" / "our-certificates.crt").exists():
        del environment["PIP_CERT"]
    variables = " ".join(shlex.quote(f"{name}={value}") for name, value in environment.items())
    place = shlex.quote(str(root))
    inner = f"cd {shlex.quote(home)} && {{ {script}\n}}"
    outer = (
        f"mount -t proc proc {place}/proc && mount --rbind /dev {place}/dev && "
        f"exec chroot --userspec={account} {place} env -i {variables} /bin/sh -euc {shlex.quote(inner)}"
    )
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "sh", "-c", outer]


def remove(root: Path) -> None:
    """Remove a root, whatever permissions its folders have."""
    if root.exists():
        subprocess.run(["rm", "-rf", "--one-file-system", root], check=True)
