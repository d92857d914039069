// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 39
// title: rss step that sleeps
// rust: no
// wrong: WAITS C: foo_heap_rss\(\) is part of an rss step, and waits for a lock
// wrong: WRITES W: discards 'const' qualifier|discards qualifiers
// run: drm_shmem_list.rss_of_heap: The size that the step returns is resident, and active while the object is busy.
// run: drm_shmem_list.rss_is_not_purgeable: The size that the step returns is not purgeable.

#include <linux/mutex.h>

#include "foo.h"

/* A heap. No file has handles of the objects that are its parts. */
struct foo_heap {
	struct drm_shmem_obj shmem;
	size_t parts;
};

DRM_SHMEM_OBJ_TYPE(foo_heap_type, struct foo_heap, shmem, struct foo_heap_unique);

/* Held while a heap grows */
static __maybe_unused DEFINE_MUTEX(foo_heap_lock);

static size_t foo_heap_rss(const struct drm_shmem_obj *obj)
{
#if defined(WRITES)
	struct foo_heap *heap = drm_shmem_from_obj(&foo_heap_type, obj);
#else
	const struct foo_heap *heap = drm_shmem_from_obj(&foo_heap_type, obj);
#endif

#if defined(WAITS)
	mutex_lock(&foo_heap_lock);
	mutex_unlock(&foo_heap_lock);
#endif
	return READ_ONCE(heap->parts);
}

const struct foo_heap_type foo_heap_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.rss = foo_heap_rss,
};
