// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 40
// title: copy from or to userspace under a reservation lock
// rust: no
// wrong: FROM_USER C(context): cannot call function '__drm_vmap_from_user' while
// wrong: TO_USER C(context): cannot call function '__drm_vmap_to_user' while
// wrong: RAW_FROM_USER C(context): cannot call function '__drm_resv_need_false' while
// wrong: RAW_TO_USER C(context): cannot call function '__drm_resv_need_false' while
// wrong: LABELLED C(context): cannot call function 'drm_shmem_set_label_user' while
// wrong: LOOKED_UP C(context): cannot call function '__drm_shmem_lookup_user' while
// run: drm_shmem_vmap.user_under_lock: The copy gives -EALREADY and a report, and copies nothing.

#include <linux/uaccess.h>

#include "foo.h"

struct foo_bos {
	DRM_SHMEM_OBJS(struct foo_bo);
};

int foo_bo_update(struct foo_bo *bo, const void __user *src, void __user *dst)
{
	u32 head[4] = {};
	int ret;

	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	drm_vmap_guard_locked(foo_fw, fw, &bo->shmem, ret) {
#if defined(FROM_USER)
		ret = drm_vmap_from_user(fw, 0, src, SZ_4K);
#elif defined(TO_USER)
		ret = drm_vmap_to_user(fw, 0, dst, SZ_4K);
#elif defined(RAW_FROM_USER)
		ret = copy_from_user(head, src, sizeof(head)) ? -EFAULT : 0;
#elif defined(RAW_TO_USER)
		ret = copy_to_user(dst, head, sizeof(head)) ? -EFAULT : 0;
#endif
		drm_vmap_write32(fw, 0, head[0]);
	}
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	if (ret)
		return ret;

	drm_vmap_or(foo_fw, fw, &bo->shmem, ret, return ret);
	ret = drm_vmap_from_user(fw, 0, src, SZ_4K);
	return ret ?: drm_vmap_to_user(fw, 0, dst, SZ_4K);
}

int foo_bo_describe(struct foo_bo *bo, const char __user *name)
{
	int ret = 0;

	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
#if defined(LABELLED)
	ret = drm_shmem_set_label_user(&bo->shmem, name);
#endif
	bo->flags |= 1;
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret ?: drm_shmem_set_label_user(&bo->shmem, name);
}

struct foo_bos *foo_bo_add(struct foo_bo *bo, struct drm_file *file, const void __user *user)
{
#if defined(LOOKED_UP)
	struct foo_bos *bos;

	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	bos = drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, user, 16, 16);
	bo->flags |= 1;
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return bos;
#else
	dma_resv_lock(drm_shmem_gem(&bo->shmem)->resv, NULL);
	bo->flags |= 1;
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, user, 16, 16);
#endif
}
