"""python3 scripts/lib/instructions PROGRAM FILE [--update]: what scripts/instructions says."""

import sys
from pathlib import Path

import callgrind
import kept

program, path = sys.argv[1], Path(sys.argv[2])
counts, tools = callgrind.count(program), callgrind.tools()
if sys.argv[3:] == ["--update"]:
    path.write_text(kept.write(tools, counts))
    print(path.read_text(), end="")
    sys.exit()
tools_then, counts_then = kept.read(path.read_text())
faults, gains = kept.compare(counts_then, counts)
for name in sorted(counts):
    print(f"{name}: {counts[name]:,} instructions")
for gain in gains:
    print(f"less than before: {gain}; scripts/instructions --update holds the gain")
if not faults:
    sys.exit()
for fault in faults:
    print(f"scripts/instructions: {fault}", file=sys.stderr)
if tools != tools_then:
    print(f"the file was made with {tools_then}\nthese were counted with {tools}", file=sys.stderr)
print(f"More than {kept.GROWTH_MAX} % is a fault. If the change is worth it, scripts/instructions --update keeps the new "
      "counts, and its commit says why.", file=sys.stderr)
sys.exit(1)
