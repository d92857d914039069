#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What each byte is for that the library adds to an object, an update or an address space.

memory.py BUILD: BUILD is the directory of a kernel in which the library was compiled. The sizes
are pahole's, of a file that is compiled with the same command and -g. What a member is for
is the comment beside it. The table goes to standard output, as reStructuredText.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
# struct, its header, and what the core or a driver has without the library
STRUCTS = [
    ('drm_gpuvm_imm', 'drm_gpuvm_imm_internal.h', 'An address space'),
    ('drm_gpuvm_imm_update', 'drm_gpuvm_imm.h', 'A prepared update'),
    ('drm_shmem_obj', 'drm_shmem_obj.h', 'An object'),
]
PROBE = '#include "drm_gpuvm_imm_internal.h"\n#include "drm_shmem_internal.h"\n' + ''.join(
    f'struct {name} probe_{name};\n' for name, _, _ in STRUCTS)


def compile_probe(build, out):
    command = (build / 'drivers/gpu/drm/safe/.drm_gpuvm_imm.o.cmd').read_text()
    command = re.match(r'savedcmd_\S+ := (.*?)(?: ; |\n)', command).group(1)
    command = re.sub(r'-Wp,-MMD\S+| -o \S+ \S+\s*$', '', command)
    source = out.with_suffix('.c')
    source.write_text(PROBE)
    compiler, options = command.split(maxsplit=1)
    subprocess.run(f'{compiler} -I{TOP} {options} -g -o {out} {source}', shell=True, check=True,
                   cwd=build)


def members(out, name):
    """[(member, offset)] and the size of the struct"""
    text = subprocess.run(['pahole', '-C', name, out], capture_output=True, text=True,
                          check=True).stdout
    found = re.findall(r'^\t+[^/\n}]*?(\w+)(?:\[\w*\])*(?::\d+)?(?: __attribute__\S*)?;\s*'
                       r'/\*\s*(\d+)(?:: ?\d+)?\s+(\d+) \*/', text, re.MULTILINE)
    size = int(re.search(r'/\* size: (\d+)', text).group(1))
    rows = {}
    for member, offset, length in found:
        # The first member of a union stands for it. An array without a length takes nothing.
        if int(length):
            rows.setdefault(int(offset), member)
    return [(member, offset) for offset, member in rows.items()], size


def purposes(name, header):
    """{member: the comment beside it}"""
    text = (TOP / header).read_text()
    body = re.search(rf'^(?:context_lock_struct\({name}\)|struct {name}) {{\n(.*?)^}}', text,
                     re.MULTILINE | re.DOTALL).group(1)
    return dict(re.findall(r'\b(\w+)(?:\[\w+\])?(?: : \d+)?(?: __guarded_by\(\S+\))?;'
                           r'[ \t]*/\* (.*?) \*/', body))


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    print('.. SPDX-License-Identifier: GPL-2.0-only OR MIT\n.. Written by scripts/memory.py')
    with tempfile.TemporaryDirectory() as scratch:
        out = pathlib.Path(scratch) / 'probe.o'
        compile_probe(build, out)
        for name, header, title in STRUCTS:
            rows, size = members(out, name)
            wanted = purposes(name, header)
            print(f'\n.. csv-table:: {title}: struct {name}, {size} bytes\n'
                  '   :header: Member,At,Bytes,For\n   :widths: 20 8 8 64\n')
            ends = [offset for _, offset in rows[1:]] + [size]
            for (member, offset), end in zip(rows, ends):
                what = wanted.get(member, 'the DRM core\'s part' if member == 'base' else None)
                if not what:
                    sys.exit(f'{header}: there is no comment beside {name}.{member}')
                print(f'   ``{member}``,{offset},{end - offset},"{what}"')
    return 0


if __name__ == '__main__':
    sys.exit(main())
