// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 33
// title: memory freed while the hardware still uses it
// rust: -
// wrong: NOT_PUT_OFF W: incompatible pointer|incompatible integer|makes pointer from integer|different type
// wrong: TOKEN_LOST W: warn_unused_result|unused-result
// wrong: NONE W: nonnull|null passed to a callee
// run: drm_shmem_ends.put_off: The table stays until the hardware has answered.
// run: drm_shmem_ends.unbind: If the hardware never answers, the table stays until the hardware is quiet.
// run: drm_shmem_ends.misused: The release step may put off its own object only, and only once.

#include "foo.h"

struct foo_ends_device {
	struct foo_device foo;
	struct drm_shmem_ends ends;
};

/* A resource of a device that confirms when it has stopped using the memory */
struct foo_res {
	struct drm_shmem_obj shmem;
	struct foo_ends_device *dev;
	u32 id;
};

void foo_res_unref(struct foo_ends_device *dev, u32 id);

DRM_SHMEM_OBJ_TYPE(foo_res_type, struct foo_res, shmem, struct foo_res_unique);

static struct drm_shmem_put_off *foo_res_release(struct drm_shmem_obj *obj)
{
	struct foo_res *res = drm_shmem_from_obj(&foo_res_type, obj);
	struct drm_shmem_put_off *later;

#if defined(NOT_PUT_OFF)
	foo_res_unref(res->dev, res->id);
	return true;
#elif defined(TOKEN_LOST)
	drm_shmem_put_off(obj, &res->dev->ends);
	foo_res_unref(res->dev, res->id);
	return NULL;
#elif defined(NONE)
	later = drm_shmem_put_off(obj, NULL);
#else
	later = drm_shmem_put_off(obj, &res->dev->ends);
#endif
	if (later)
		foo_res_unref(res->dev, res->id);
	return later;
}

const struct foo_res_type foo_res_type = {
	DRM_SHMEM_OBJ_FUNCS,
	.base.release = foo_res_release,
};

void foo_res_answered(struct foo_res *res)
{
	drm_shmem_end(&res->shmem, &res->dev->ends);
}
