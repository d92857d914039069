// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 55
// title: object freed by its driver, or put by a borrower
// rust: b
// wrong: OBJECT_FREED C: 'bo' goes with its last reference: give it up with drm_shmem_put\(\)
// wrong: FREED_BY_SCOPE C: 'bo' goes with its last reference: give it up with drm_shmem_put\(\)
// wrong: FREED_BY_STEP C: 'bo' goes with its last reference
// wrong: DEVICE_FREED C: 'foo' goes with its last reference
// wrong: BORROWED_PUT C: drm_gem_object_put\(\) puts a reference that drm_vmap_gem\(\) did not take
// wrong: DEVICE_PUT C: drm_dev_put\(\) puts a reference that drm_dev_ctx_reg_drm\(\) did not take

#include <linux/slab.h>

#include "foo.h"

int foo_bo_peek(struct drm_file *file, u32 handle)
{
#if defined(OBJECT_FREED)
	struct foo_bo *bo = drm_shmem_lookup(&foo_bo_type, file, handle);
	int ret = PTR_ERR_OR_ZERO(bo);

	if (!ret)
		kfree(bo);
	return ret;
#elif defined(FREED_BY_SCOPE)
	struct foo_bo *bo __free(kfree) = drm_shmem_lookup(&foo_bo_type, file, handle);

	return PTR_ERR_OR_ZERO(bo);
#else
	struct foo_bo *bo __free(drm_shmem) = drm_shmem_lookup(&foo_bo_type, file, handle);

	return PTR_ERR_OR_ZERO(bo);
#endif
}

/* &drm_shmem_obj_ops.fini: the library frees the memory */
void foo_bo_end(struct drm_shmem_obj *obj)
{
	struct foo_bo *bo = drm_shmem_from_obj(&foo_bo_type, obj);

	bo->flags = 0;
#if defined(FREED_BY_STEP)
	kfree(bo);
#endif
}

void foo_end(struct foo_device *foo, struct foo_hw *hw)
{
	kfree(hw);
#if defined(DEVICE_FREED)
	kfree(foo);
#endif
}

bool foo_ring_is_imported(const struct foo_ring_owned *ring)
{
	struct drm_gem_object *gem = drm_vmap_gem(ring);
	bool imported = gem && drm_gem_is_imported(gem);

#if defined(BORROWED_PUT)
	if (gem)
		drm_gem_object_put(gem);
#endif
	return imported;
}

bool foo_is_gone(const struct foo_reg *reg)
{
	struct drm_device *drm = drm_dev_ctx_reg_drm(&reg->base);
	bool gone = drm_dev_is_unplugged(drm);

#if defined(DEVICE_PUT)
	drm_dev_put(drm);
#endif
	return gone;
}
