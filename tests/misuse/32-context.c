// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 32
// title: section opened by hand that is not left, or waits for itself
// rust: partly
// wrong: NOT_LEFT C(context): __ctx_lock_drm_dev_section 'drm_dev_section' is not held on every path|is still held
// wrong: LEFT_TWICE C(context): releasing __ctx_lock_drm_dev_section 'drm_dev_section' that was not held
// wrong: NOT_TESTED C(context): 'drm_dev_section' that was not held|is still held
// wrong: UNPLUGS C(context): cannot call function 'drm_dev_unplug' while __ctx_lock_drm_dev_section 'drm_dev_section' is held

/* A driver that uses nothing else of the library needs only this header. */
#include "drm_safe_context.h"

struct bar_device {
	struct drm_device drm;
};

int bar_hw_ready(void);
void bar_kick(struct bar_device *bar) __must_hold_shared(drm_dev_section);

int bar_suspend(struct bar_device *bar)
{
	int idx;

#if defined(NOT_TESTED)
	drm_dev_enter(&bar->drm, &idx);
#else
	if (!drm_dev_enter(&bar->drm, &idx))
		return 0;
#endif
#if defined(NOT_LEFT)
	if (!bar_hw_ready())
		return -EBUSY;
#elif defined(LEFT_TWICE)
	if (!bar_hw_ready())
		drm_dev_exit(idx);
#elif defined(UNPLUGS)
	drm_dev_unplug(&bar->drm);
#endif
	bar_kick(bar);
	drm_dev_exit(idx);
	return 0;
}
