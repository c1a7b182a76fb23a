"""The shape of the code in figures: `python benchmarks/house.py [FOLDER]`; default: this checkout.

Counts are of Python files below `ttskit/` and `tests/`; a pair of duplicated places shares six
lines or more that are equal but for white space.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

LONG, SAME = 40, 6  # lines of a function; of a duplicated pair


def functions(tree: ast.AST) -> Iterator[int]:
    """Yield the length of every function, in lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield (node.end_lineno or node.lineno) - node.lineno + 1


def targets(package: Path, path: Path, deep: bool) -> set[str]:
    """Return the parts of the package that a file imports: its folders or root files, or files."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == package.name:
            inner = (node.module or "").split(".")[1:]
            full = [inner, *([*inner, alias.name] for alias in node.names)]
            names |= {".".join(one[: 2 if deep else 1]) for one in full if one}
    return names


def layers(package: Path) -> int:
    """Return how many layers of folders it takes so that imports point one way; 0: a circle."""
    arrows: dict[str, set[str]] = defaultdict(set)
    tops = {path.stem for path in package.iterdir() if path.suffix == ".py" or path.is_dir()}
    for path in package.rglob("*.py"):
        top = path.relative_to(package).parts[0].removesuffix(".py")
        arrows[top] |= (targets(package, path, deep=False) & tops) - {top}
    depth, placed = 0, set[str]()
    while placed != arrows.keys():
        ready = {top for top, below in arrows.items() if top not in placed and below <= placed}
        if not ready:
            return 0
        placed, depth = placed | ready, depth + 1
    return depth


def duplicates(paths: list[Path]) -> int:
    """Return how many runs of lines stand in two places."""
    places = defaultdict(list)
    for path in paths:
        lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8").split("\n")]
        code = [
            line
            for line in lines
            if len(line) > 1 and not line.startswith(("#", "from ", "import "))
        ]
        for at in range(len(code) - SAME + 1):
            places["\n".join(code[at : at + SAME])].append((path, at))
    starts = {tuple(found) for found in places.values() if len(found) > 1}
    return sum(tuple((p, at - 1) for p, at in found) not in starts for found in starts)


def figures(root: Path) -> dict[str, float]:
    """Return what there is to count."""
    package, tests = root / "ttskit", [*(root / "tests").rglob("*.py")]
    files = [*package.rglob("*.py")]
    text = {path: path.read_text(encoding="utf-8") for path in [*files, *tests]}
    lengths = sorted(n for path in files for n in functions(ast.parse(text[path])))
    verbs = {path.stem for path in (package / "stages").glob("[!_]*.py")}
    lending = {
        path.stem
        for path in (package / "stages").glob("*.py")
        if targets(package, path, deep=True) & {f"stages.{verb}" for verb in verbs - {path.stem}}
    }
    lines = {
        kind: sum(text[p].count("\n") for p in of) for kind, of in (("p", files), ("t", tests))
    }
    return {
        "files at the root": len([*package.glob("*.py")]),
        "layers of folders and root files": layers(package),
        "verbs that import verbs": len(lending),
        "functions": len(lengths),
        f"functions over {LONG} lines": sum(n > LONG for n in lengths),
        "median length of a function": statistics.median(lengths),
        "90th percentile": lengths[int(0.9 * len(lengths))],
        "longest file": max(text[path].count("\n") for path in files),
        "duplicated runs of lines": duplicates(files),
        "lines of code": lines["p"],
        "lines of tests per line of code": round(lines["t"] / lines["p"], 2),
    }


def main() -> None:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]
    for name, value in figures(root).items():
        print(f"{name:34} {value}")


if __name__ == "__main__":
    main()
