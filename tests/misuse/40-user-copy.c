// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 40
// title: copy from or to userspace under a reservation lock
// rust: no
// wrong: FROM_USER C(context): cannot call function '__drm_vmap_from_user' while
// wrong: TO_USER C(context): cannot call function '__drm_vmap_to_user' while
// wrong: RAW_FROM_USER C(context): cannot call function '__drm_resv_need_false' while
// wrong: RAW_TO_USER C(context): cannot call function '__drm_resv_need_false' while
// run: drm_shmem_vmap.user_under_lock: -EALREADY and a report, nothing is copied

#include <linux/uaccess.h>

#include "foo.h"

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
