// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 36
// title: wait inside a section that an unplug does not end
// rust: no
// wrong: COPIES C: copy_from_user\(\) may wait for userspace in a section
// wrong: HELPER_COPIES C: foo_get_cmds\(\) may wait for userspace in a section
// wrong: CALLBACK_WAITS C: wait_event\(\) may wait without end in a block, which an unbind waits for
// wrong: BLOCK_WAITS C: wait_for_completion\(\) may wait without end in a block, which an unbind waits for
// wrong: STEP_WAITS C: foo_wait_forever\(\) may wait without end in a block, which an unbind waits for
// wrong: PREPARED_IN_A_SECTION B: this holds up each unplug
// wrong: PREPARED_IN_A_HANDLER C: 'reg' is a section, and drm_shmem_lock_prepared_interruptible\(\) takes long
// checked: PREPARED_IN_A_HANDLER: A function that takes a proof waits for an exporter. A compiler does not see the section, because the caller or the table of ioctls opens it.
// wrong: MAPPED_IN_A_SECTION B: this holds up each unplug
// wrong: LOOKED_UP_IN_A_SECTION B: this holds up each unplug
// wrong: LOOKED_UP_IN_A_HANDLER C: drm_shmem_lookup_user\(\) may wait for userspace in a section
// wrong: LABELLED_IN_A_SECTION B: this holds up each unplug
// wrong: LABELLED_IN_A_HANDLER C: drm_shmem_set_label_user\(\) may wait for userspace in a section
// run: drm_shmem_sgt.prepare_in_section: The call gives -EINVAL and a report.
// run: drm_dev_ctx.drm_dev_ctx_test_stuck: The report of a long unplug names the section.
// run: drm_dev_ctx.drm_dev_ctx_test_completer_in_section: The report also names the code that was refused a section since.

#include <linux/completion.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "foo.h"

struct foo_bos {
	DRM_SHMEM_OBJS(struct foo_bo);
};

/* Without a time limit, whatever completes the wait must need no section. */
int foo_wait_idle(const struct foo_reg *reg, struct completion *idle)
{
	if (!wait_for_completion_timeout(idle, HZ))
		return -ETIMEDOUT;
	return foo_hw_submit(reg, 0);
}

static int foo_get_cmds(u32 *cmds, u64 from)
{
	return copy_from_user(cmds, u64_to_user_ptr(from), SZ_4K) ? -EFAULT : 0;
}

/* Userspace can delay the page fault for ever, and an open section would wait with it. */
int foo_ioctl_run(struct drm_dev_ctx_ioctl *ioctl, u64 from, u32 *cmds)
{
#if !defined(HELPER_COPIES)
	int ret = foo_get_cmds(cmds, from);

	if (ret)
		return ret;
#endif
	drm_dev_ctx_or(foo_reg, reg, ioctl, return -ENODEV);
#if defined(COPIES)
	if (copy_from_user(cmds, u64_to_user_ptr(from), SZ_4K))
		return -EFAULT;
#elif defined(HELPER_COPIES)
	if (foo_get_cmds(cmds, from))
		return -EFAULT;
#endif
	return foo_hw_submit(reg, cmds[0]);
}

/* A callback of power management */
int foo_resume(struct foo_device *foo, struct wait_queue_head *wq, const bool *ready)
{
	int ret = -ENODEV;

	drm_dev_ctx_guard_callback(live, &foo->ctx) {
#if defined(CALLBACK_WAITS)
		wait_event(*wq, READ_ONCE(*ready));
		ret = 0;
#else
		ret = drm_dev_ctx_wait_event(live, *wq, READ_ONCE(*ready), MAX_SCHEDULE_TIMEOUT);
#endif
	}
	return ret;
}

void foo_disable(struct foo_device *foo, struct completion *off)
{
	drm_dev_ctx_guard_live(live, &foo->ctx) {
#if defined(BLOCK_WAITS)
		wait_for_completion(off);
#else
		wait_for_completion_timeout(off, HZ);
#endif
	}
}

static void __maybe_unused foo_wait_forever(struct completion *off)
{
	wait_for_completion(off);
}

/* &drm_dev_ctx_ops.kms_shutdown calls this. */
void foo_turn_off(const struct drm_dev_ctx_live *live, struct completion *off)
{
#if defined(STEP_WAITS)
	foo_wait_forever(off);
#else
	wait_for_completion_timeout(off, HZ);
#endif
}

/* The exporter of an import can take long to provide its memory. */
int foo_own(struct foo_device *foo, struct drm_shmem_sgt_owned *own, struct foo_bo *bo)
{
	int ret;

#if defined(PREPARED_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
	ret = drm_shmem_lock_prepared_interruptible(&bo->shmem);
	if (ret)
		return ret;
#else
	ret = drm_shmem_lock_prepared_interruptible(&bo->shmem);
	if (ret)
		return ret;
	ret = -ENODEV;
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
#endif
		ret = drm_shmem_sgt_own_locked(own, &reg->base.bound, &bo->shmem);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}

/* The map step of a driver's own memory can take long, too. The caller holds the lock. */
int foo_own_stolen(struct foo_device *foo, struct drm_gem_sgt_owned *own, struct drm_gem_sgt *sgt)
{
	int ret;

#if defined(MAPPED_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
	ret = drm_gem_sgt_prepare_locked(sgt);
	if (ret)
		return ret;
#else
	ret = drm_gem_sgt_prepare_locked(sgt);
	if (ret)
		return ret;
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#endif
	return drm_gem_sgt_own_locked(own, &reg->base.bound, sgt);
}

/* Called by handlers of ioctls */
int foo_own_for(const struct foo_reg *reg, struct drm_shmem_sgt_owned *own, struct foo_bo *bo)
{
	int ret;

#if defined(PREPARED_IN_A_HANDLER)
	ret = drm_shmem_lock_prepared_interruptible(&bo->shmem);
#else
	ret = dma_resv_lock_interruptible(drm_shmem_gem(&bo->shmem)->resv, NULL);
#endif
	if (ret)
		return ret;
	ret = drm_shmem_sgt_own_locked(own, &reg->base.bound, &bo->shmem);
	dma_resv_unlock(drm_shmem_gem(&bo->shmem)->resv);
	return ret;
}

/* The page fault of this userspace pointer, too, takes as long as userspace likes. */
int foo_name(struct foo_device *foo, struct foo_bo *bo, const char __user *name)
{
	int ret;

#if defined(LABELLED_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
	ret = drm_shmem_set_label_user(&bo->shmem, name);
#else
	ret = drm_shmem_set_label_user(&bo->shmem, name);
	if (ret)
		return ret;
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#endif
	return ret ?: foo_hw_submit(reg, bo->flags);
}

int foo_submit_for(const struct foo_reg *reg, struct drm_file *file, const u32 *handles, u32 count,
		   const void __user *user, struct foo_bo *bo)
{
#if defined(LABELLED_IN_A_HANDLER)
	int ret = drm_shmem_set_label_user(&bo->shmem, user);

	if (ret)
		return ret;
#endif
	struct foo_bos *bos __free(drm_shmem_objs) =
#if defined(LOOKED_UP_IN_A_HANDLER)
		drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, user, count, 16);
#else
		drm_shmem_lookup_handles(&foo_bo_type, foo_bos, file, handles, count);
#endif

	return IS_ERR(bos) ? PTR_ERR(bos) : foo_hw_submit(reg, count);
}

int foo_submit(struct foo_device *foo, struct drm_file *file, const void __user *user, u32 count)
{
#if defined(LOOKED_UP_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#endif
	struct foo_bos *bos __free(drm_shmem_objs) =
		drm_shmem_lookup_user(&foo_bo_type, foo_bos, file, user, count, 16);

	if (IS_ERR(bos))
		return PTR_ERR(bos);
#if !defined(LOOKED_UP_IN_A_SECTION)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return -ENODEV);
#endif
	return foo_hw_submit(reg, count);
}
