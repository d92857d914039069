// SPDX-License-Identifier: GPL-2.0-only OR MIT
/// A raw helper in a file that uses the library: it goes behind the handles.
// Misuse classes 1, 10, 12, 14, 21, 29, 31.
virtual report

@initialize:python@
@@
import re
import drm_safe_names as names
raw_dev = re.compile(r'(drm_dev_(register|unregister|unplug|enter|exit|alloc)|'
                     r'(__)?devm_drm_dev_alloc)$')
raw_obj = re.compile(r'(drm_gem_v(un)?map(_locked)?|drm_gem_shmem_(create|free|release|get_pages_sgt)|'
                     r'drm_gem_shmem_(vmap|vunmap|pin|unpin|purge|madvise)(_locked)?|'
                     r'dma_buf_v(un)?map(_unlocked)?|drm_gem_handle_create|to_drm_gem_shmem_obj)$')
raw_vm = re.compile(r'(drm_gpuvm_(init|put|get|sm_\w*|bo_\w*|validate|prepare_(vm|objects|range)|exec_\w*)|'
                    r'drm_gpuva_\w*)$')

def say(p, f, part, header):
    if names.driver().uses(p[0].file, {header} | names.PARTS[header]):
        print("%s:%s:%s: ERROR: %s() goes behind the %s of %s" %
              (p[0].file, p[0].line, p[0].column, f, part, header))

@dev@
identifier f : script:python() { bool(raw_dev.match(f)) };
position p;
@@
 f@p(...)

@obj@
identifier f : script:python() { bool(raw_obj.match(f)) };
position p;
@@
 f@p(...)

@vm@
identifier f : script:python() { bool(raw_vm.match(f)) };
position p;
@@
 f@p(...)

@script:python depends on report@
p << dev.p;
f << dev.f;
@@
say(p, f, "contexts", "drm_dev_ctx.h")

@script:python depends on report@
p << obj.p;
f << obj.f;
@@
say(p, f, "handles", "drm_shmem_safe.h")

@script:python depends on report@
p << vm.p;
f << vm.f;
@@
say(p, f, "core", "drm_gpuvm_imm.h")
