// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 30
// title: entry point races unbind
// rust: r
// wrong: NEEDS_MORE_THAN_IT_ASKS_FOR B: incompatible pointer
// wrong: IOCTL_CONTEXT_AS_PROOF B: incompatible pointer
// wrong: WORK_WITHOUT_SECTION B: incompatible pointer
// wrong: OTHER_ARGUMENT B: incompatible pointer
// wrong: OTHER_SIZE B: FOO_SUBMIT has an argument of another size than u64
// wrong: SAME_NUMBER B: duplicate case
// wrong: NOT_A_DRIVER_IOCTL B: FOO_SUBMIT is not an ioctl of a DRM driver
// wrong: NO_CONTEXT B: __DRM_DEV_NEED_SOMETIMES
// run: drm_dev_ctx.drm_dev_ctx_test_gem_callback: a callback of an object is refused after unplug
// run: drm_dev_ctx.drm_dev_ctx_test_fault: so is a page fault
// run: drm_dev_ctx.drm_dev_ctx_test_irq_thread: and an interrupt thread
// run: drm_dev_ctx.drm_dev_ctx_test_runtime_pm: and runtime PM
// run: drm_dev_ctx_race.drm_dev_ctx_race_test_enter: unplug waits for those inside
// run: drm_dev_ctx_race.drm_dev_ctx_race_test_file: open and close against unbind

#include "foo.h"

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
			    struct foo_file *file)
{
	return foo_hw_submit(reg, args->doorbell);
}

static int foo_ioctl_status(struct foo_ioctl *ioctl, __u32 *args, struct foo_file *file)
{
	*args = 0;
	drm_dev_if_registered(foo, reg, ioctl)
		*args = 1;
	return 0;
}

#if defined(NEEDS_MORE_THAN_IT_ASKS_FOR)
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, struct drm_foo_submit, foo_ioctl_submit, NORMAL, DRM_RENDER_ALLOW)
#elif defined(IOCTL_CONTEXT_AS_PROOF)
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, struct drm_foo_submit, foo_ioctl_submit, IOCTL, DRM_RENDER_ALLOW)
#elif defined(NO_CONTEXT)
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, struct drm_foo_submit, foo_ioctl_submit, SOMETIMES, DRM_RENDER_ALLOW)
#elif defined(OTHER_SIZE)
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, u64, foo_ioctl_submit, REGISTERED, DRM_RENDER_ALLOW)
#elif defined(OTHER_ARGUMENT)
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, struct drm_foo_wait, foo_ioctl_submit, REGISTERED, DRM_RENDER_ALLOW)
#else
#define FOO_SUBMIT(X) \
	X(FOO_SUBMIT, struct drm_foo_submit, foo_ioctl_submit, REGISTERED, DRM_RENDER_ALLOW)
#endif

#if defined(SAME_NUMBER)
#define DRM_IOCTL_FOO_AGAIN	DRM_IOR(DRM_COMMAND_BASE + DRM_FOO_SUBMIT, __u32)
#define FOO_AGAIN(X)	X(FOO_AGAIN, __u32, foo_ioctl_status, IOCTL, 0)
#else
#define FOO_AGAIN(X)
#endif

#define FOO_IOCTLS(X)								\
	FOO_SUBMIT(X)								\
	X(FOO_STATUS, __u32, foo_ioctl_status, IOCTL, DRM_RENDER_ALLOW)		\
	FOO_AGAIN(X)

DRM_DEV_IOCTL_TABLE(foo, FOO_IOCTLS);

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
	drm_dev_if_registered(foo, reg, &foo->drm)
		foo_hw_submit(reg, 0);
#endif
}
