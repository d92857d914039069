// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 32
// title: device unplugged twice, or unplug that waits for itself
// rust: partly
// wrong: INSIDE_OF_A_SECTION B: this waits for itself
// wrong: INSIDE_OF_A_SCOPE B: this waits for itself
// wrong: INSIDE_OF_A_BOUND_BLOCK B: this waits for itself
// wrong: INSIDE_OF_A_CALLBACK B: this waits for itself
// wrong: IN_A_HANDLER C: 'reg' is a section that this waits for
// checked: IN_A_HANDLER: A function that takes a proof calls drm_dev_ctx_unregister(). A compiler does not see that an ioctl handler runs in a section, because its table opens the section.
// run: drm_dev_ctx.drm_dev_ctx_test_unregister: The second call gives -ENODEV.
// run: drm_dev_ctx.drm_dev_ctx_test_unregister_in_section: A call inside a section gives -EDEADLK and a report.
// run: drm_dev_ctx.drm_dev_ctx_test_unregister_threads: Of two threads, one ends the registration, and both wait for the end.

#include "foo.h"

void foo_reset(struct work_struct *work)
{
	struct foo_device *foo = container_of(work, struct foo_device, hangcheck);
	int ret = 0;

	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		ret = foo_hw_submit(reg, 0);
#if defined(INSIDE_OF_A_SECTION)
		if (ret)
			drm_dev_ctx_unregister(&foo->ctx);
#endif
	}
	if (ret)
		drm_dev_ctx_unregister(&foo->ctx);
}

void foo_reset_or(struct foo_device *foo)
{
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return);

	if (foo_hw_submit(reg, 0)) {
#if defined(INSIDE_OF_A_SCOPE)
		drm_dev_ctx_unregister(&foo->ctx);
#endif
		schedule_work(&foo->hangcheck);
	}
}

void foo_display_off(struct foo_device *foo, struct foo_hw *hw)
{
	drm_dev_ctx_guard_live(live, &foo->ctx) {
		foo_hw_stop(&live->bound, hw);
#if defined(INSIDE_OF_A_BOUND_BLOCK)
		drm_dev_ctx_unregister(&foo->ctx);
#endif
	}
}

void foo_queue_done(struct foo_device *foo, struct foo_hw *hw)
{
	drm_dev_ctx_guard_callback(live, &foo->ctx) {
		foo_hw_stop(&live->bound, hw);
#if defined(INSIDE_OF_A_CALLBACK)
		drm_dev_ctx_unregister(&foo->ctx);
#endif
	}
}

/* A handler of an ioctl */
int foo_ioctl_reset(const struct foo_reg *reg, u32 *flags, struct drm_file *file)
{
#if defined(IN_A_HANDLER)
	return drm_dev_ctx_unregister(&foo_reg_dev(reg)->ctx);
#else
	schedule_work(&foo_reg_dev(reg)->hangcheck);
	return 0;
#endif
}
