// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 32
// title: unplug twice, or waiting on itself
// rust: b
// wrong: INSIDE_OF_A_SECTION B: waits for itself
// wrong: INSIDE_OF_A_SCOPE B: waits for itself

#include "foo.h"

void foo_reset(struct work_struct *work)
{
	struct foo_device *foo = container_of(work, struct foo_device, hangcheck);
	int ret = 0;

	drm_dev_if_registered(foo, reg, &foo->drm) {
		ret = foo_hw_submit(reg, 0);
#if defined(INSIDE_OF_A_SECTION)
		if (ret)
			drm_dev_ctx_unregister(&foo->drm);
#endif
	}
	if (ret)
		drm_dev_ctx_unregister(&foo->drm);
}

void foo_reset_or(struct foo_device *foo)
{
	drm_dev_registered_or(foo, reg, &foo->drm, return);

	if (foo_hw_submit(reg, 0)) {
#if defined(INSIDE_OF_A_SCOPE)
		drm_dev_ctx_unregister(&foo->drm);
#endif
		schedule_work(&foo->hangcheck);
	}
}
