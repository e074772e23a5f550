# SPDX-License-Identifier: MIT
"""The kernel's generic C, compiled for the host and driven by data/kernel_core."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = Path(__file__).parent / "data" / "kernel_core"
SOURCES = ("printf", "string", "cmdline", "multiboot", "heap", "frame", "kstack")
DRIVERS = ("keyboard", "serial", "vga")
TESTS = (
    "printf string heap frames stacks cmdline multiboot keyboard serial vga"  # host.c
).split()
SANITIZERS = "-fsanitize=address,undefined"

# The kernel's own must not replace those of the host's libc.
RENAMED = (
    "memcpy memmove memset memcmp strlen strcmp strncmp strchr strlcpy"  # string.c
).split()


def gcc(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["gcc", "-g", "-O1", "-fPIE", *args], capture_output=True, text=True
    )


def compile_all(bits: int, folder: Path, sanitizers: tuple[str, ...]) -> list[str]:
    """The objects of kernel and host part, for a word size of bits."""
    include = ROOT / "kernel" / "include"
    arch = ROOT / "kernel" / "arch" / "i386" / "include"
    common = [f"-m{bits}", "-std=gnu11", "-Wall", "-Wextra", *sanitizers]
    # HOST comes first: its arch/cpu.h has no instructions in it.
    kernel = [*common, "-Werror", "-ffreestanding", f"-I{HOST}"]
    kernel += [f"-I{include}", f"-I{arch}", *(f"-D{name}=k_{name}" for name in RENAMED)]
    # Behind libc: string.h and memory.h are libc's, "include/memory.h" the kernel's.
    host = [*common, f"-I{HOST}", "-iquote", str(ROOT / "kernel")]
    host += ["-idirafter", str(include), "-idirafter", str(arch)]

    jobs = [(kernel, ROOT / "kernel" / "core" / f"{name}.c") for name in SOURCES]
    jobs += [(kernel, ROOT / "kernel" / "drivers" / f"{name}.c") for name in DRIVERS]
    jobs += [(host, source) for source in sorted(HOST.glob("*.c"))]
    objects = []
    for flags, source in jobs:
        target = str(folder / f"{source.stem}.o")
        done = gcc(*flags, "-c", str(source), "-o", target)
        assert done.returncode == 0, done.stderr
        objects.append(target)
    return objects


@pytest.fixture(scope="module", params=[32, 64])
def program(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The host program for one word size, with the sanitizers where gcc has them."""
    bits: int = request.param
    folder = tmp_path_factory.mktemp(f"kernel_core_{bits}")
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")

    for sanitizers in ((SANITIZERS, "-fno-sanitize-recover=all"), ()):
        link = ("-pie", f"-m{bits}", *sanitizers)
        if gcc(*link, str(probe), "-o", str(folder / "probe")).returncode == 0:
            break
    else:
        pytest.skip(f"gcc -m{bits} makes no programs for this machine")
    out = folder / "host"
    done = gcc(*link, *compile_all(bits, folder, sanitizers), "-o", str(out))
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("seed", [0x1, 0x5EED])
def test_kernel_core(program: Path, name: str, seed: int) -> None:
    done = subprocess.run(
        [str(program), name, f"{seed:x}"],
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
