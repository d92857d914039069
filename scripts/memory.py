#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Print the purpose of each byte that the library adds to an object, an update or an address space.

memory.py BUILD: BUILD is the directory of a kernel in which the library was compiled, without
CONFIG_DEBUG_FS. To get the sizes, the script compiles a file with the same command, once without
and once with CONFIG_DEBUG_FS, which distributions have. The purpose of a member is the comment
beside it. The tables go to standard output, as reStructuredText.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
# Each struct, its header, and a name for people
STRUCTS = [
    ('drm_gpuvm_imm', 'drm_gpuvm_imm_internal.h', 'An address space'),
    ('drm_gpuvm_imm_update', 'drm_gpuvm_imm.h', 'A prepared update'),
    ('drm_shmem_obj', 'drm_shmem_obj.h', 'An object'),
]
# The things whose sizes are shown: a name for people, and a declarator or NAME
SIZES = [
    ('An address space', 'struct drm_gpuvm_imm NAME'),
    ('Its first pool', 'struct drm_gpuva *NAME[DRM_GPUVM_IMM_POOL_FIRST]'),
    ('A prepared update', 'struct drm_gpuvm_imm_update NAME'),
    ('An object', 'struct drm_shmem_obj NAME'),
    ('Its row in the list', 'struct drm_shmem_row NAME'),
    ('A device', 'struct drm_dev_ctx NAME'),
    ('of these, the DRM core\'s part of an address space', 'struct drm_gpuvm NAME'),
    ('of these, the DRM core\'s part of an object', 'struct drm_gem_shmem_object NAME'),
    ('of these, the DRM core\'s part of a device', 'struct drm_device NAME'),
]


def probe():
    """Return the text of a file with a variable of each type."""
    row = re.search(r'^struct drm_shmem_row {.*?^};\n', (TOP / 'drm_shmem_list.c').read_text(),
                    re.MULTILINE | re.DOTALL).group(0)
    lines = ['#include "drm_gpuvm_imm_internal.h"', '#include "drm_shmem_internal.h"',
             '#include "drm_dev_ctx.h"', '#ifdef CONFIG_DEBUG_FS', row, '#else',
             'struct drm_shmem_row { };', '#endif']
    for at, (_, declarator) in enumerate(SIZES):
        lines.append(declarator.replace('NAME', f'size_{at}') + ';')
    return '\n'.join(lines) + '\n'


def compile_probe(build, out, *options_more):
    command = (build / 'drivers/gpu/drm/safe/.drm_gpuvm_imm.o.cmd').read_text()
    command = re.match(r'savedcmd_\S+ := (.*?)(?: ; |\n)', command).group(1)
    command = re.sub(r'-Wp,-MMD\S+| -o \S+ \S+\s*$', '', command)
    source = out.with_suffix('.c')
    source.write_text(probe())
    compiler, options = command.split(maxsplit=1)
    subprocess.run(f'{compiler} -I{TOP} {options} {" ".join(options_more)} -g -o {out} {source}',
                   shell=True, check=True, cwd=build)


def sizes(out):
    """[bytes] of each of SIZES"""
    text = subprocess.run(['nm', '-S', out], capture_output=True, text=True, check=True).stdout
    found = {int(at): int(size, 16) for size, at in
             re.findall(r'^\S+ (\S+) \S size_(\d+)$', text, re.MULTILINE)}
    # A struct without members has no size, so nm prints none.
    return [found.get(at, 0) for at in range(len(SIZES))]


def members(out, name):
    """[(member, offset)] and the size of the struct"""
    text = subprocess.run(['pahole', '-C', name, out], capture_output=True, text=True,
                          check=True).stdout
    found = re.findall(r'^\t+[^/\n}]*?(\w+)(?:\[\w*\])*(?::\d+)?(?: __attribute__\S*)?;\s*'
                       r'/\*\s*(\d+)(?:: ?\d+)?\s+(\d+) \*/', text, re.MULTILINE)
    size = int(re.search(r'/\* size: (\d+)', text).group(1))
    rows = {}
    for member, offset, length in found:
        # Use the first member of a union. An array without a length has no size.
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


def show_sizes(without, with_debugfs):
    print('\n.. csv-table:: Bytes of each, without and with CONFIG_DEBUG_FS\n'
          '   :header: What,Type,Without,With\n   :widths: 40 40 10 10\n')
    for (what, declarator), *both in zip(SIZES, without, with_debugfs):
        kind = declarator.replace(' NAME', '').replace('NAME', '')
        print(f'   "{what}",``{kind}``,{both[0]},{both[1]}')


def show_members(without, with_debugfs, name, header, title):
    rows, size = members(with_debugfs, name)
    fewer, smaller = members(without, name)
    wanted = purposes(name, header)
    more = f', {size} with CONFIG_DEBUG_FS' if size != smaller else ''
    print(f'\n.. csv-table:: {title}: struct {name}, {smaller} bytes{more}\n'
          '   :header: Member,At,Bytes,For\n   :widths: 20 8 8 64\n')
    ends = [offset for _, offset in rows[1:]] + [size]
    for (member, offset), end in zip(rows, ends):
        what = wanted.get(member, 'the DRM core\'s part' if member == 'base' else None)
        if not what:
            sys.exit(f'{header}: there is no comment beside {name}.{member}')
        if member not in dict(fewer):
            what += ', with CONFIG_DEBUG_FS'
        print(f'   ``{member}``,{offset},{end - offset},"{what}"')


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    if 'CONFIG_DEBUG_FS=y' in (build / '.config').read_text().splitlines():
        sys.exit(f'{build} is a kernel with CONFIG_DEBUG_FS')
    print('.. SPDX-License-Identifier: GPL-2.0-only OR MIT\n.. Written by scripts/memory.py')
    with tempfile.TemporaryDirectory() as scratch:
        both = [pathlib.Path(scratch) / name for name in ('without.o', 'with.o')]
        compile_probe(build, both[0])
        compile_probe(build, both[1], '-DCONFIG_DEBUG_FS=1')
        show_sizes(*map(sizes, both))
        for struct in STRUCTS:
            show_members(*both, *struct)
    return 0


if __name__ == '__main__':
    sys.exit(main())
