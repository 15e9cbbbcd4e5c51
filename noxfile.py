"""The one front door: `nox -l` lists the sessions, `nox -s tests` runs one, `nox` alone runs lint and tests.

`tests`, `slow`, `tiers` and `hardening` share one environment, in which the package is installed anew only when it has changed.
What a session takes from the command line stands behind `--`: `nox -s tests -- tests/decode`, `nox -s fuzz -- 3600`.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
C_TESTS = ROOT / "tests" / "c"
C_BUILD = ROOT / "build" / "c"
EXTRAS: dict[str, list[str]] = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]

nox.options.sessions = ["lint", "tests"]
nox.options.reuse_venv = "yes"


def tiers_of_this_cpu() -> list[str]:
    """The tiers that this CPU runs, the best first."""
    machine = platform.machine()
    if machine == "x86_64" and Path("/proc/cpuinfo").exists():
        found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        flags = found[1].split() if found else []
        return [*(tier for tier in ("avx512vbmi", "avx2", "ssse3") if tier in flags), "scalar"]
    return ["neon", "scalar"] if machine == "aarch64" else ["scalar"]


# A tier that the CPU runs and the package does not have is a failure of the tests.
REQUIRED_TIERS = os.environ.get("REALTIME_PCM_REQUIRE_TIERS") or ",".join(tiers_of_this_cpu())
REQUIRE = {"REALTIME_PCM_REQUIRE_TIERS": REQUIRED_TIERS}


def pins(*extras: str) -> list[str]:
    """The packages of these extras, without the project itself."""
    return [line for extra in extras for line in EXTRAS[extra] if not line.startswith("realtime-pcm")]


# ---- Checks that run nothing ------------------------------------------------------------------------------------------------


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, mypy, cython-lint, clang-format and codespell, as .pre-commit-config.yaml lists them."""
    session.install("--quiet", *pins("lint", "test"))
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)


# ---- The package and its tests ----------------------------------------------------------------------------------------------


def wheel_of_the_tree(session: nox.Session) -> Path:
    """The wheel of the sources as they stand. It is built when they are others than at the last time."""
    digest = hashlib.sha256(platform.python_version().encode())
    sources = [ROOT / name for name in ("CMakeLists.txt", "LICENSE", "README.md", "pyproject.toml")]
    for path in sorted([*sources, *(ROOT / "src").rglob("*")]):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    folder = ROOT / "build" / "wheels" / digest.hexdigest()[:16]
    if not list(folder.glob("*.whl")):
        session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), ".")
    return next(folder.glob("*.whl"))


def install(session: nox.Session, extra: str) -> None:
    """Installs the tree as it stands, and the packages of an extra."""
    built = wheel_of_the_tree(session)
    installed = Path(session.virtualenv.location) / "installed.txt"
    if installed.exists() and installed.read_text(encoding="utf-8") == str(built):
        session.log("nothing has changed since the package was installed")
        return
    installed.unlink(missing_ok=True)
    session.install("--quiet", f"{built}[{extra}]")
    # Where another wheel of the same version is installed, pip leaves it there.
    session.install("--quiet", "--no-deps", "--force-reinstall", str(built))
    installed.write_text(str(built), encoding="utf-8")


@nox.session(default=False)
def environment(session: nox.Session) -> None:
    """The package and what its tests need, for the sessions that share them."""
    install(session, "test")


def in_environment(session: nox.Session, *arguments: str, **variables: str) -> None:
    """Runs the Python of the session `environment`, which has run before."""
    python = ROOT / session.cache_dir.parent / "environment" / "bin" / "python"
    session.run(str(python), *arguments, env=REQUIRE | variables)


@nox.session(venv_backend="none", requires=["environment"])
def tests(session: nox.Session) -> None:
    """The quick tests; kernels run once per tier of this machine."""
    in_environment(session, "-m", "pytest", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def slow(session: nox.Session) -> None:
    """The slow tests: type checkers, leaks, resident memory, all mutants."""
    in_environment(session, "-m", "pip", "install", "--quiet", *pins("browser", "docs"))
    in_environment(session, "-m", "pytest", "-m", "slow", *session.posargs)


@nox.session(venv_backend="none", requires=["environment"])
def tiers(session: nox.Session) -> None:
    """What decodes, once with each tier forced at import, as a user forces one."""
    paths = ("messages", "session", "decode/test_captures.py", "catalogue", "stream/test_stream.py", "package/test_package.py")
    for tier in REQUIRED_TIERS.split(","):
        session.log(f"tier {tier}")
        arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{path}" for path in paths)]
        in_environment(session, *arguments, REALTIME_PCM_SIMD=tier)


@nox.session(venv_backend="none", requires=["environment"])
def hardening(session: nox.Session) -> None:
    """Generated frames and mutants against orjson, pybase64 and NumPy. `-- FRAMES`: how many frames (1,000,000)."""
    in_environment(session, "tests/hardening", "differential", "--frames", *(session.posargs or ["1000000"]))
    in_environment(session, "tests/hardening", "mutation", "--bits")
    in_environment(session, "tests/hardening", "sockets", "--frames", "200000", "--bits")


@nox.session
def asan(session: nox.Session) -> None:
    """The Python suite under AddressSanitizer and UndefinedBehaviorSanitizer, with the assertions of the C code."""
    checks = "-fsanitize=address,undefined"
    flags = f"{checks} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1"
    debug = "-Ccmake.build-type=Debug"  # every other build leaves assertions out
    session.install("--quiet", debug, ".[test]", env={"CFLAGS": flags, "LDFLAGS": checks})
    libraries = (output("gcc", f"-print-file-name={name}") for name in ("libasan.so", "libubsan.so"))
    # Left out: what starts other programs or only reads sources, and compiled packages of others that fail under ASan. Then
    # what has no C of ours that other tests do not have; and resident memory, of which most is that of ASan.
    left_out = "client typing stubs narrow example server cli extract bad_input sample sounddevice".split()
    left_out += "docs upstream timeline page resident".split()
    # Quick tests only: the slow ones take ten minutes more, and mostly repeat what these, `c` and `fuzz` run under sanitizers.
    session.run(
        *("python", "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-n", "auto", "--dist", "worksteal", "tests"),
        *("-k", " and ".join(f"not {name}" for name in left_out)),
        *session.posargs,
        env=REQUIRE
        | {
            "LD_PRELOAD": " ".join(libraries),
            "PYTHONMALLOC": "malloc",
            "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
        },
    )


@nox.session
def wheel(session: nox.Session) -> None:
    """sdist, then a wheel built from it, then the demo in an environment that has nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        session.install("--quiet", "build")
        session.run("python", "-m", "build", "--sdist", "--outdir", folder, ".", silent=True)
        sdist = next(Path(folder).glob("*.tar.gz"))
        session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(sdist))
        built = next(Path(folder).glob("*.whl"))
        session.log(f"{sdist.name}, {built.name}")
        session.run("python", "tools/wheel_contents.py", folder)
        session.run("python", "-m", "venv", "--clear", f"{folder}/fresh")
        session.run(f"{folder}/fresh/bin/pip", "install", "--quiet", f"{built}[cli]", external=True)
        session.chdir(folder)
        session.run("fresh/bin/realtime-pcm", "demo", "--out", "demo", external=True)


@nox.session
def floors(session: nox.Session) -> None:
    """The tests with the lowest release of each package that the extras allow."""
    needs = nox.project.load_toml("pyproject.toml")["tool"]["dynamic-metadata"][0]
    extras = dict.fromkeys(pins("arrow", "cli", "client", "recording", "plot", "play", "testing"))  # some name the same package
    lines = [*needs["with_gil"], *extras]
    lowest = [line.replace(">=", "==") for line in lines]
    floored = {re.split(r"[=>;\s]", line)[0] for line in lines}
    tools = [line for line in pins("test") if re.split(r"[=>;\s]", line)[0] not in floored]
    session.install("--quiet", *lowest, *tools)
    session.install("--quiet", "--no-deps", ".")
    session.run("python", "-m", "pip", "check")
    session.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *session.posargs, env=REQUIRE)


# ---- C without Python -------------------------------------------------------------------------------------------------------


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def clang(session: nox.Session) -> str | None:
    """The compiler clang; None, and a warning, where there is none."""
    found = shutil.which("clang-14") or shutil.which("clang")
    if found is None:
        session.warn("no clang: what needs it was not run")
    return found


def build_c(session: nox.Session, name: str, *options: str) -> Path:
    """Builds tests/c in build/c/NAME."""
    folder = C_BUILD / name
    session.run("cmake", "-S", "tests/c", "-B", str(folder), *options, external=True, silent=True)
    session.run("cmake", "--build", str(folder), "-j2", external=True, silent=True)
    return folder


@nox.session(venv_backend="none")
def c(session: nox.Session) -> None:
    """The C tests, plain and under ASan and UBSan; playback under TSan, its threads for $PLAYBACK_SECONDS (10)."""
    release = "-DCMAKE_BUILD_TYPE=Release"
    for name, options in (("plain", [release]), ("sanitized", [release, "-DSANITIZE=ON"])):
        folder = build_c(session, name, *options)
        session.run("ctest", "--test-dir", str(folder), "-j2", "--output-on-failure", external=True, env=REQUIRE)
    playback = {"threads": [release, "-DTHREADS=ON"]}
    compiler = clang(session)
    if compiler:
        # The atomic words as Microsoft's compiler makes them, which clang has too.
        warnings = "-Wno-incompatible-pointer-types -Wno-implicit-function-declaration"
        flags = f"-DCMAKE_C_FLAGS=-fms-extensions -DPORTABLE_INTERLOCKED {warnings}"
        playback["interlocked"] = [release, "-DTHREADS=ON", f"-DCMAKE_C_COMPILER={compiler}", flags]
    for name, options in playback.items():
        folder = build_c(session, name, *options)
        session.run(str(folder / "test_playback"), "300000", os.environ.get("PLAYBACK_SECONDS", "10"), external=True)


@nox.session(venv_backend="none")
def emulated(session: nox.Session) -> None:
    """The C tests in emulators: on aarch64, on s390x, which is big-endian, and on x86 CPUs without AVX-512 or AVX."""
    x86 = "qemu-x86_64-static"
    for name, required, needs, emulator in (
        ("aarch64", "neon,scalar", "aarch64-linux-gnu-gcc", ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"]),
        ("s390x", "scalar", "s390x-linux-gnu-gcc", ["qemu-s390x-static", "-L", "/usr/s390x-linux-gnu"]),
        ("plain", "ssse3,scalar", "gcc", [x86, "-cpu", "Nehalem"]),
        ("plain", "avx2,ssse3,scalar", "gcc", [x86, "-cpu", "Haswell"]),
    ):
        if not (shutil.which(needs) and shutil.which(emulator[0])):
            session.warn(f"no {emulator[0]} or no {needs}: {name} was not run")
            continue
        if name == "plain" and platform.machine() != "x86_64":
            continue
        options = [] if name == "plain" else [f"-DCMAKE_TOOLCHAIN_FILE={C_TESTS}/{name}.cmake"]
        folder = build_c(session, name, "-DCMAKE_BUILD_TYPE=Release", *options)
        for test in ("test_base64", "test_convert", "test_encode", "test_escape", "test_walk"):
            session.run(
                *(*emulator, str(folder / test), *([f"{C_TESTS}/corpus"] if test == "test_walk" else [])),
                env={"REALTIME_PCM_REQUIRE_TIERS": required, "REALTIME_PCM_EMULATED": "1"},
                external=True,
            )


# Target of ziglang: the emulator that runs its tests, and the tiers that have to be there. None: compiled only.
TARGETS: dict[str, tuple[str, str] | None] = {
    "x86_64-linux-musl": ("", "ssse3,scalar"),
    "aarch64-linux-musl": ("qemu-aarch64-static", "neon,scalar"),
    "s390x-linux-musl": ("qemu-s390x-static", "scalar"),
    "x86_64-windows-gnu": ("wine64", "ssse3,scalar"),
    "aarch64-windows-gnu": None,
    "x86_64-macos": None,
    "aarch64-macos": None,
}


@nox.session
def cross(session: nox.Session) -> None:
    """The C tests for other systems, by the clang of ziglang; those with an emulator run. `-- TARGETS`: only these."""
    session.install("--quiet", *pins("cross"))
    for target in session.posargs or TARGETS:
        runs = TARGETS[target]
        emulator = runs and runs[0] and (shutil.which(runs[0]) or shutil.which(f"/usr/lib/wine/{runs[0]}"))
        folder = build_c(
            session,
            f"zig-{target}",
            *("-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", f"-DCMAKE_TOOLCHAIN_FILE={C_TESTS}/zig.cmake"),
            *(f"-DZIG_TARGET={target}", f"-DZIG_EMULATOR={emulator or ''}"),
        )
        if runs is None:
            session.log(f"{target}: compiled; nothing here runs it")
        elif runs[0] and emulator is None:
            session.warn(f"{target}: compiled; no {runs[0]}: it was not run")
        else:
            env = {"REALTIME_PCM_REQUIRE_TIERS": runs[1], "WINEDEBUG": "-all"}
            env |= {"REALTIME_PCM_EMULATED": "1"} if runs[0].startswith("qemu") else {}
            session.run("ctest", "--test-dir", str(folder), "--output-on-failure", external=True, env=env)


@nox.session
def fuzz(session: nox.Session) -> None:
    """libFuzzer over the walk, then atheris over the package, each for `-- SECONDS` (30)."""
    seconds = session.posargs[0] if session.posargs else "30"
    compiler = clang(session)
    if compiler is None:
        session.error("both fuzzers need clang")
    options = ["-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DSANITIZE=ON", "-DFUZZ=ON", f"-DCMAKE_C_COMPILER={compiler}"]
    folder = build_c(session, "fuzz", *options)
    found = C_BUILD / "found"
    found.mkdir(exist_ok=True)
    with tarfile.open(ROOT / "tests" / "support" / "fuzz_corpus.tar.xz") as archive:
        archive.extractall(found, filter="data")
    session.run(
        *(str(folder / "fuzz_wire"), f"-max_total_time={seconds}", "-max_len=4096", "-verbosity=0", "-print_final_stats=1"),
        *(f"-dict={C_TESTS}/fuzz_wire.dict", f"-artifact_prefix={C_BUILD}/", str(found), f"{C_TESTS}/corpus"),
        external=True,
    )
    session.install("--quiet", *EXTRAS["fuzz"], "numpy", "orjson")
    session.run("python", "tools/fuzz.py", "--seconds", seconds, "--compiler", compiler)


# ---- Around the package ------------------------------------------------------------------------------------------------------


@nox.session
def bench(session: nox.Session) -> None:
    """The benchmarks, quickly. `-- ARGUMENTS`: those of `python -m benchmarks` instead of --quick."""
    install(session, "bench")
    session.run("python", "-m", "benchmarks", *(session.posargs or ["--quick"]))


@nox.session
def engines(session: nox.Session) -> None:
    """Recordings to tables on workers of Ray Data and Spark, which needs Java; the tables in DuckDB and Polars."""
    install(session, "engines")
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "slow", "tests/engines"]
    session.run("python", *arguments, *session.posargs, env=REQUIRE | {"REALTIME_PCM_REQUIRE_ENGINES": "1"})


@nox.session(venv_backend="none", requires=["environment"])
def clients(session: nox.Session) -> None:
    """Real clients against the loopback server: openai, agents SDKs, pipecat, livekit-agents, pydantic-ai, ai-sdk, a page."""
    in_environment(session, "-m", "pip", "install", "--quiet", *pins("browser"))
    required = {"REALTIME_PCM_REQUIRE_CLIENTS": "1", "REALTIME_PCM_REQUIRE_BROWSER": "1"}
    in_environment(session, "-m", "pytest", "-m", "slow", "-n", "0", "tests/real_clients", *session.posargs, **required)


@nox.session
def docs(session: nox.Session) -> None:
    """The pages, built strictly into build/site."""
    install(session, "docs")
    session.run("python", "tools/reference.py")
    session.run("zensical", "build", "--strict")


@nox.session(venv_backend="none")
def upstream(session: nox.Session) -> None:
    """The tests with the newest release of every package: what has drifted. It is news, and never a failure."""
    session.run("python", "tools/upstream.py", *session.posargs)
