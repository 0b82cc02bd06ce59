#!/usr/bin/env python3
"""count-tests.py LABEL=FILE…: adds up Swift Testing's event streams, and `LABEL=passed` or `LABEL=failed` for anything else.

Prints the failures of each file with their messages, a line for each file, and last `N passed, N failed`. A parameterised
test counts once for each of its arguments. A stream without an end is a crash and counts as a failure, as does a skip.
Exit 1 when anything failed, or when nothing ran.
"""

import json
import sys
from pathlib import Path


class Stream:
    def __init__(self) -> None:
        self.cases: dict[tuple[str, str], list[str]] = {}
        self.tests: dict[str, list[str]] = {}
        self.skipped: list[str] = []
        self.names: dict[str, str] = {}
        self.ended = False

    def add(self, record: dict) -> None:
        payload = record.get("payload", {})
        if record.get("kind") == "test":
            self.names[payload.get("id", "")] = payload.get("displayName") or payload.get("name", "")
            return
        kind, test = payload.get("kind"), payload.get("testID", "")
        case = payload.get("_testCase") or {}
        key = (test, case.get("id", ""))
        if kind == "testCaseStarted":
            self.cases.setdefault(key, [])
            self.names[key[0] + key[1]] = case.get("displayName", "")
        elif kind == "testStarted" and "(" in test:
            self.tests.setdefault(test, [])
        elif kind == "testSkipped" and "(" in test:
            self.skipped.append(test)
        elif kind == "runEnded":
            self.ended = True
        elif kind == "issueRecorded" and not payload.get("issue", {}).get("isKnown"):
            if payload.get("issue", {}).get("severity") == "warning":
                return
            text = " ".join(m.get("text", "") for m in payload.get("messages", []))
            if case and key in self.cases:
                self.cases[key].append(text)
            else:
                self.tests.setdefault(test, []).append(text)

    def results(self) -> list[tuple[str, list[str]]]:
        with_cases = {test for test, _ in self.cases}
        out = []
        for (test, case), issues in self.cases.items():
            name = self.names.get(test, test)
            shown = self.names.get(test + case, "")
            out.append((f"{test.split('/')[0]}: {name} [{shown}]" if shown else f"{test.split('/')[0]}: {name}", issues))
        for test, issues in self.tests.items():
            if test not in with_cases or issues:
                out.append((f"{test.split('/')[0]}: {self.names.get(test, test)}", issues))
        out += [(f"{self.names.get(test, test)} (skipped)", ["was skipped"]) for test in self.skipped]
        return out


def main() -> int:
    passed = failed = 0
    for argument in sys.argv[1:]:
        label, _, path = argument.partition("=")
        if path in ("passed", "failed"):
            print(f"{label}: {path}")
            passed += path == "passed"
            failed += path == "failed"
            continue
        stream = Stream()
        if Path(path).exists():
            for line in Path(path).read_text(encoding="utf-8", errors="replace").splitlines():
                try:
                    stream.add(json.loads(line))
                except json.JSONDecodeError:
                    continue
        results = stream.results()
        bad = [(name, issues) for name, issues in results if issues]
        for name, issues in bad:
            print(f"FAILED {label}: {name}")
            for issue in issues:
                print("    " + issue.replace("\n", "\n    ")[:6000])
        if not stream.ended:
            print(f"FAILED {label}: the run did not come to its end")
        lost = 0 if stream.ended else 1
        print(f"{label}: {len(results) - len(bad)} passed, {len(bad) + lost} failed")
        passed += len(results) - len(bad)
        failed += len(bad) + lost
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
