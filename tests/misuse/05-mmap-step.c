// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 5
// title: userspace mapping changed or kept by a driver's mmap step
// rust: -
// wrong: CHANGES_VMA W: discards 'const' qualifier|discards qualifiers
// wrong: KEEPS_VMA W: discards 'const' qualifier|discards qualifiers
// wrong: WRITES_VMA B: read-only object|const-qualified
// run: drm_shmem_mmap.step_refuses: A mapping that the step refuses is not counted.
// run: drm_shmem_mmap.step_never_called: A step of a type whose objects cannot be mapped is reported.

#include <linux/mm.h>

#include "foo.h"

/* An object whose driver checks each mapping of it */
struct foo_seen {
	struct drm_shmem_obj shmem;
	struct vm_area_struct *vma;
	bool writable;
};

DRM_SHMEM_OBJ_TYPE(foo_seen_type, struct foo_seen, shmem, struct foo_seen_unique);

static int foo_seen_mmap(struct drm_shmem_obj *obj, const struct vm_area_struct *vma)
{
	struct foo_seen *seen = drm_shmem_from_obj(&foo_seen_type, obj);

#if defined(CHANGES_VMA)
	vm_flags_set(vma, VM_MIXEDMAP);
#elif defined(KEEPS_VMA)
	seen->vma = vma;
#elif defined(WRITES_VMA)
	vma->vm_private_data = seen;
#endif
	return (vma->vm_flags & VM_WRITE) && !seen->writable ? -EACCES : 0;
}

const struct foo_seen_type foo_seen_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.mmap = foo_seen_mmap,
};
