"""What the innermost loops of an object file cost: instructions, multiply-adds, accesses to the stack (spills), and the
cycles that llvm-mca predicts for one round on some processors. For kernels of a processor that is not at hand:

    ./test aarch64
    python3 bench/inner_loops.py build/aarch64/src/CMakeFiles/mobilenet-core.dir/kernels/kernels.cpp.o \
        'Tile<.*, 8ul, 2ul>'

The second argument is a regular expression for the functions' names. Needs aarch64-linux-gnu-objdump (Debian's
binutils-aarch64-linux-gnu) and an llvm-mca that knows the processors (Debian's llvm-19).
"""
import argparse
import re
import subprocess
import sys

MULTIPLY_ADD = re.compile(r"fmla|bfdot")
BRANCH = re.compile(r"(b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z\s+\w+, #\d+,)\s+([0-9a-f]+) <")


def functions(object_file, pattern):
    """(name, [(address, instruction)]) of each function whose name matches."""
    command = ["aarch64-linux-gnu-objdump", "-d", "-C", "--no-show-raw-insn", object_file]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for text in listing.split("\n\n"):
        head = re.match(r"\s*[0-9a-f]+ <(.*)>:\n", text)
        if not head or not re.search(pattern, head[1]):
            continue
        lines = (re.match(r"\s*([0-9a-f]+):\s+(.*)", line) for line in text.splitlines()[1:])
        yield head[1], [(int(m[1], 16), m[2].split("//")[0].strip()) for m in lines if m]


def inner_loops(code):
    """(begin, end) of the loops that hold no other: from a branch's target to the branch."""
    loops = []
    for address, instruction in code:
        branch = BRANCH.match(instruction)
        if branch and int(branch[2], 16) <= address:
            loops.append((int(branch[2], 16), address))
    return [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]


def cycles(mca, processor, instructions):
    """Predicted cycles for one round of a loop, or None where llvm-mca refuses it."""
    rounds = 100
    source = [BRANCH.sub(r"\1 0 <", i).split("<")[0] for i in instructions]
    command = [mca, "-mtriple=aarch64", f"-mcpu={processor}", "-mattr=+bf16,+fullfp16", f"-iterations={rounds}"]
    result = subprocess.run(command, input="\n".join(source) + "\n", capture_output=True, text=True, check=False)
    total = re.search(r"Total Cycles:\s+(\d+)", result.stdout)
    return int(total[1]) / rounds if total else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("object")
    parser.add_argument("functions", help="regular expression")
    parser.add_argument("--processors", nargs="+", default=["cortex-a55", "neoverse-n1", "neoverse-v1"])
    parser.add_argument("--llvm-mca", default="llvm-mca-19")
    parser.add_argument("--least", type=int, default=8, help="multiply-adds in a loop that is shown")
    args = parser.parse_args()
    found = False
    for name, code in functions(args.object, args.functions):
        for begin, end in inner_loops(code):
            body = [instruction for address, instruction in code if begin <= address <= end]
            multiply_adds = sum(bool(MULTIPLY_ADD.match(i)) for i in body)
            if multiply_adds < args.least:
                continue
            found = True
            spills = sum("[sp" in i for i in body)
            print(name)
            print(f"    {len(body)} instructions, {multiply_adds} multiply-adds, {spills} on the stack")
            for processor in args.processors:
                predicted = cycles(args.llvm_mca, processor, body)
                print(f"    {processor:12} " + ("not known" if predicted is None else f"{predicted:6.1f} cycles"))
    if not found:
        sys.exit(f"{args.object}: no function that matches {args.functions!r} has such a loop")


if __name__ == "__main__":
    main()
