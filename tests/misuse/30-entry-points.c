// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 30
// title: entry point races unbind
// rust: r
// wrong: NEEDS_MORE_THAN_IT_ASKS_FOR B: incompatible pointer
// wrong: IOCTL_CONTEXT_AS_PROOF B: incompatible pointer
// wrong: OTHER_PROOF B: incompatible pointer
// wrong: WORK_WITHOUT_SECTION B: incompatible pointer
// wrong: OTHER_ARGUMENT B: incompatible pointer
// wrong: OTHER_SIZE B: FOO_SUBMIT has an argument of another size than u64
// wrong: SAME_NUMBER B: initialized field overwritten|initializer overrides prior
// wrong: NOT_A_DRIVER_IOCTL B: FOO_SUBMIT is not an ioctl of a DRM driver
// wrong: NO_ENTRY_POINT B: undeclared
// wrong: NOT_IN_THE_TABLE U: defined but not used|unused function
// run: drm_dev_ctx.drm_dev_ctx_test_gem_callback: After an unplug, a callback of an object is refused.
// run: drm_dev_ctx.drm_dev_ctx_test_fault: After an unplug, a page fault is refused.
// run: drm_dev_ctx.drm_dev_ctx_test_irq_thread: After an unplug, an interrupt thread is refused.
// run: drm_dev_ctx.drm_dev_ctx_test_runtime_pm: A callback of runtime PM works until the device is unbound, registered or not.
// run: drm_dev_ctx_race.drm_dev_ctx_race_test_enter: An unplug waits for the sections that are open.
// run: drm_dev_ctx_race.drm_dev_ctx_race_test_file: Opening and closing a file races with an unbind.

#include "foo.h"

#if defined(OTHER_PROOF)
struct bar_reg {
	struct drm_dev_ctx_reg base;
};
#endif

struct drm_foo_submit {
	__u32 doorbell;
	__u32 pad;
	__u64 fence;
};

struct drm_foo_wait {
	__u64 fence;
	__u64 timeout;
};

#if defined(NOT_A_DRIVER_IOCTL)
#define DRM_FOO_SUBMIT		0x80
#else
#define DRM_FOO_SUBMIT		0x00
#endif
#define DRM_FOO_STATUS		0x01
#define DRM_IOCTL_FOO_SUBMIT	DRM_IOW(DRM_COMMAND_BASE + DRM_FOO_SUBMIT, struct drm_foo_submit)
#define DRM_IOCTL_FOO_STATUS	DRM_IOR(DRM_COMMAND_BASE + DRM_FOO_STATUS, __u32)

static int foo_ioctl_submit(const struct foo_reg *reg, struct drm_foo_submit *args,
			    struct drm_file *file)
{
	return foo_hw_submit(reg, args->doorbell);
}

static int foo_ioctl_status(struct drm_dev_ctx_ioctl *ioctl, __u32 *args, struct drm_file *file)
{
	*args = 0;
#if defined(IOCTL_CONTEXT_AS_PROOF)
	foo_hw_submit(ioctl, 0);
#endif
	drm_dev_ctx_guard(foo_reg, reg, ioctl)
		*args = 1;
	return 0;
}

#if defined(NEEDS_MORE_THAN_IT_ASKS_FOR)
DRM_DEV_CTX_IOCTL_UNGUARDED(FOO_SUBMIT, foo_ioctl_submit, struct drm_foo_submit);
#elif defined(OTHER_SIZE)
DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, foo_reg, u64);
#elif defined(OTHER_ARGUMENT)
DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, foo_reg, struct drm_foo_wait);
#elif defined(OTHER_PROOF)
DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, bar_reg, struct drm_foo_submit);
#elif !defined(NO_ENTRY_POINT)
DRM_DEV_CTX_IOCTL(FOO_SUBMIT, foo_ioctl_submit, foo_reg, struct drm_foo_submit);
#endif
DRM_DEV_CTX_IOCTL_UNGUARDED(FOO_STATUS, foo_ioctl_status, __u32);

#if defined(SAME_NUMBER)
#define DRM_IOCTL_FOO_AGAIN	DRM_IOR(DRM_COMMAND_BASE + DRM_FOO_SUBMIT, __u32)
DRM_DEV_CTX_IOCTL_UNGUARDED(FOO_AGAIN, foo_ioctl_status, __u32);
#endif

DRM_DEV_CTX_IOCTLS(foo_ioctls) = {
#if !defined(NOT_IN_THE_TABLE)
	DRM_DEV_CTX_IOCTL_DEF(FOO_SUBMIT, DRM_RENDER_ALLOW),
#endif
	DRM_DEV_CTX_IOCTL_DEF(FOO_STATUS, DRM_RENDER_ALLOW),
#if defined(SAME_NUMBER)
	DRM_DEV_CTX_IOCTL_DEF(FOO_AGAIN, 0),
#endif
};

const struct drm_ioctl_desc *foo_ioctl_table(void)
{
	return foo_ioctls;
}

void foo_hangcheck(struct work_struct *work)
{
	struct foo_device *foo = container_of(work, struct foo_device, hangcheck);

#if defined(WORK_WITHOUT_SECTION)
	foo_hw_submit(foo, 0);
#else
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx)
		foo_hw_submit(reg, 0);
#endif
}
