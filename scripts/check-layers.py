#!/usr/bin/env python3
"""Checks what the house promises about its own source: who imports whom, how long a file is, which words it may hold."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "Sources"

# Bottom to top: a module may import the ones that stand before it.
ORDER = [
    "CLibYAML", "CJailABI", "CJail", "jail-init", "JailModel", "JailDigest", "JailPolicy", "JailPlan", "JailDiff", "JailGates",
    "JailReport", "JailSystem", "JailWorkspace", "JailLaunch", "JailLedger", "JailKit", "launch-jail",
]

# Modules without input, output or operating system. What they may import besides their own kind.
PURE = {
    "JailModel": set(),
    "JailDigest": {"Crypto"},
    "JailPolicy": {"CLibYAML"},
    "JailPlan": {"CJailABI"},
    "JailDiff": set(),
    "JailGates": set(),
    "JailReport": {"FoundationEssentials"},
}

# A module that only some may import.
RESERVED = {
    "CLibYAML": {"JailPolicy"},
    "Crypto": {"JailDigest"},
    "ArgumentParser": {"launch-jail"},
    "CJail": {"JailSystem", "JailLaunch"},
    "CJailABI": {"JailPlan", "JailLaunch", "CJail", "jail-init"},
    "FoundationEssentials": {"JailReport", "JailKit"},
    "Foundation": set(),
    "Glibc": {"JailSystem", "JailLaunch", "JailLedger"},
    "Dispatch": set(),
    "Logging": set(),
}

KNOWN_OUTSIDE = set(RESERVED) | {"Synchronization", "Testing"}
SWIFT_LINES, C_LINES = 400, 600
IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:public|package|internal|fileprivate|private)?\s*import\s+"
    r"(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?([A-Za-z_]\w*)"
)
FORBIDDEN_SWIFT = [(re.compile(r"\btry!"), "try!"), (re.compile(r"\bas!"), "as!")]
FORBIDDEN_WORD = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")

problems: list[str] = []


def report(path: Path, line: int, message: str) -> None:
    problems.append(f"{path.relative_to(ROOT)}:{line}: {message}")


def check_import(module: str, path: Path, line: int, imported: str) -> None:
    if imported == module:
        return
    if imported in RESERVED and module not in RESERVED[imported]:
        allowed = ", ".join(sorted(RESERVED[imported])) or "nobody"
        report(path, line, f"{module} imports {imported}, which only {allowed} may")
    elif imported not in ORDER and imported not in KNOWN_OUTSIDE:
        report(path, line, f"{module} imports {imported}, which this script does not know")
    if imported in ORDER and ORDER.index(imported) >= ORDER.index(module):
        report(path, line, f"{module} imports {imported}: imports point downwards only")
    if module in PURE and imported not in PURE[module] and imported not in PURE:
        report(path, line, f"{module} is pure and imports {imported}")
    if module == "JailModel":
        report(path, line, f"JailModel imports nothing, but here {imported}")


def check_swift(module: str, path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > SWIFT_LINES:
        report(path, len(lines), f"{len(lines)} lines, at most {SWIFT_LINES}")
    for number, text in enumerate(lines, 1):
        match = IMPORT.match(text)
        if match:
            check_import(module, path, number, match.group(1))
        code = text.split("//", 1)[0]
        for pattern, name in FORBIDDEN_SWIFT:
            if pattern.search(code):
                report(path, number, f"{name} is not used in this house")


def check_c(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > C_LINES:
        report(path, len(lines), f"{len(lines)} lines, at most {C_LINES}")
    for number, text in enumerate(lines, 1):
        if path.is_relative_to(SOURCES / "jail-init") and re.match(r"\s*#\s*include\s*<(stdio|stdlib|string|unistd|pthread)\.h>", text):
            report(path, number, "jail-init has no libc")


def check_words(path: Path) -> None:
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = FORBIDDEN_WORD.search(text)
        if match:
            report(path, number, f"the word {match.group(1)}: finish it, or write an issue")


def main() -> int:
    for directory in sorted(p for p in SOURCES.iterdir() if p.is_dir()):
        module = directory.name
        if module not in ORDER:
            problems.append(f"Sources/{module}: a module that this script does not know; give it a place in ORDER")
            continue
        for path in sorted(directory.rglob("*")):
            if path.suffix == ".swift":
                check_swift(module, path)
            elif path.suffix in {".c", ".h"}:
                check_c(path)
    tests = ROOT / "Tests"
    for path in sorted(tests.rglob("*.swift")):
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > SWIFT_LINES:
            report(path, len(lines), f"{len(lines)} lines, at most {SWIFT_LINES}")
    for folder in (SOURCES, tests, ROOT / "Probes", ROOT / "Benchmarks"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".swift", ".c", ".h"}:
                check_words(path)
            if path.suffix in {".c", ".h"} and folder in (ROOT / "Probes", ROOT / "Benchmarks"):
                check_c(path)
    for problem in problems:
        print(problem)
    print(f"check-layers: {len(problems)} problems" if problems else "check-layers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
