#!/usr/bin/env python3
"""What ext2 on an IDE disk costs in CPU time: no row of `scripts/bench --disk` takes more than half of what Linux 6.1
takes for it (docs/costs.md)."""
import os
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import bench_disk  # noqa: E402

LINUX = {"write": 317_220_997, "read-cold": 113_445_801, "read-warm": 38_184_567, "read-pages": 136_207_012,
         "random": 94_188_233, "create": 830_437_390, "stat": 44_313_960, "rename": 763_078_704, "unlink": 165_871_088,
         "fsync": 62_024_828,
         "find-cold": 578_140_301, "find-warm": 224_864_438, "untar": 85_721_107}

with tempfile.TemporaryDirectory(dir=ROOT / os.environ.get("ORRERY_BUILD", "build")) as folder:
    image = os.path.join(folder, "image")
    bench_disk.make_image(image)
    rows = bench_disk.on_orrery(image, (), True, None)
faults = [f"no row {name}" for name in LINUX.keys() - rows.keys()]
for name, row in rows.items():
    part = row["cpu_ns"] / LINUX[name]
    print(f"{name:10} {row['cpu_ns']:11} of {LINUX[name]:11}  {part:4.0%}")
    if part > 0.5:
        faults.append(f"{name}: {row['cpu_ns']} instructions, {part:.0%} of what Linux takes")
print("\n".join(f"FAIL {fault}" for fault in faults) or "all as expected")
sys.exit(bool(faults))
