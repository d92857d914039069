// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 51
// title: handles looked up one by one, without bound, type or undo
// rust: partly
// wrong: RAW C: drm_gem_objects_lookup\(\) goes behind the handles of drm_shmem_safe.h
// wrong: NO_LIMIT B: too few arguments|requires 6 arguments|expected expression
// wrong: OTHER_ARRAY B: is an array of another type of object
// wrong: MORE_MEMBERS B: has the members of DRM_SHMEM_OBJS\(\) only
// wrong: NO_HANDLE B: flags is no handle: it must be a u32
// wrong: ADDRESS_AS_HANDLES B: incompatible (pointer|integer)
// wrong: OBJECT_REPLACED B: read-only|cannot assign
// wrong: LEAKED C: 'array', from drm_shmem_lookup_handles\(\) on line \d+, is leaked
// run: drm_shmem_objs.objs_all_or_none: A bad handle gives -EINVAL or -ENOENT, and no object keeps a reference.
// run: drm_shmem_objs.objs_bounded: Too many handles give -E2BIG before a handle is read.
// run: drm_shmem_objs.objs_accounted: The array is charged to the client.
// run: drm_shmem_objs.objs_duplicates: A handle that is given twice takes two references.

#include "foo.h"

#define FOO_MAX_BOS	1024

struct foo_bos {
#if defined(MORE_MEMBERS)
	u64 flags;
#endif
	DRM_SHMEM_OBJS(struct foo_bo);
};

struct bar_bo {
	struct drm_shmem_obj shmem;
};

struct bar_bos {
	DRM_SHMEM_OBJS(struct bar_bo);
};

struct drm_foo_submit_bo {
	u32 handle;
	u32 pad;
	u64 flags;
};

u64 foo_bos_size(struct foo_bos *bos)
{
	struct foo_bo *bo;
	u64 size = 0;
	u32 i;

	drm_shmem_objs_for_each(i, bo, bos)
		size += drm_shmem_size(&bo->shmem);
	return size;
}

int foo_submit_bos(struct drm_file *file, const void __user *handles, u32 count, u64 *size)
{
#if defined(RAW)
	struct drm_gem_object **gems;

	return drm_gem_objects_lookup(file, (void __user *)handles, count, &gems);
#else
	struct foo_bos *bos __free(drm_shmem_objs) =
#if defined(NO_LIMIT)
		drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, handles, count);
#elif defined(OTHER_ARRAY)
		(void *)drm_shmem_lookup_user(&foo_bo_type, bar_bos, file, handles, count,
					      FOO_MAX_BOS);
#else
		drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, handles, count, FOO_MAX_BOS);
#endif

	if (IS_ERR(bos))
		return PTR_ERR(bos);
#if defined(OBJECT_REPLACED)
	bos->__obj[0] = NULL;
#endif
	*size = foo_bos_size(bos);
	return 0;
#endif
}

struct foo_bos *foo_array(struct drm_file *file, const struct drm_foo_submit_bo *bos, u32 count)
{
#if defined(NO_HANDLE)
	return drm_shmem_lookup_members(&foo_bo_type, foo_bos, file, bos, count, flags);
#elif defined(ADDRESS_AS_HANDLES)
	return drm_shmem_lookup_handles(&foo_bo_type, foo_bos, file, bos, count);
#else
	return drm_shmem_lookup_members(&foo_bo_type, foo_bos, file, bos, count, handle);
#endif
}

int foo_check_bos(struct drm_file *file, const u32 *handles, u32 count, u64 limit)
{
	struct foo_bos *array =
		drm_shmem_lookup_handles(&foo_bo_type, foo_bos, file, handles, count);
	int ret = 0;

	if (IS_ERR(array))
		return PTR_ERR(array);
#if defined(LEAKED)
	if (foo_bos_size(array) > limit)
		return -ENOSPC;
#else
	if (foo_bos_size(array) > limit)
		ret = -ENOSPC;
#endif
	drm_shmem_objs_free(array);
	return ret;
}
