// SPDX-License-Identifier: GPL-2.0-only OR MIT
// drm/vma_manager: annotate the lookup lock for context analysis
//
// Clang's context analysis warns about the functions that take and release the lock of a lookup, in each
// file that includes the header.
//
// Annotate them.
//
// Files: include/drm/drm_vma_manager.h

@script:python names@
take; leave;
@@
coccinelle.take = cocci.make_ident("__acquires_shared(&mgr->vm_lock) drm_vma_offset_lock_lookup")
coccinelle.leave = cocci.make_ident("__releases_shared(&mgr->vm_lock) drm_vma_offset_unlock_lookup")

@@
identifier names.take;
parameter list ps;
@@
 static inline void
-drm_vma_offset_lock_lookup
+take
 (ps) { ... }

@@
identifier names.leave;
parameter list ps;
@@
 static inline void
-drm_vma_offset_unlock_lookup
+leave
 (ps) { ... }
