// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 4
// title: early return that does not leave the unplug section
// rust: b
// wrong: USED_AFTER_THE_SECTION B: 'reg' undeclared|undeclared identifier 'reg'
// wrong: NO_WAY_OUT B: 'reg' undeclared|undeclared identifier 'reg'
// wrong: GOES_ON B: the last argument must leave the scope
// wrong: HAND_WRITTEN C: return without drm_dev_exit\(\)
// run: drm_dev_ctx.drm_dev_ctx_test_section_exits: Every way out of the block leaves the section.

#include "foo.h"

int foo_bo_submit(struct foo_device *foo, u32 count)
{
	int ret = -ENODEV;

#if defined(HAND_WRITTEN)
	int idx;

	if (!drm_dev_enter(&foo->ctx.drm, &idx))
		return -ENODEV;
	if (!foo_hw_ready())
		return -EBUSY;
	drm_dev_exit(idx);
#endif
	drm_dev_ctx_guard(foo_reg, reg, &foo->ctx) {
		if (!foo_hw_ready())
			return -EBUSY;
		for (u32 i = 0; i < count; i++) {
			ret = foo_hw_submit(reg, i);
			if (ret)
				goto out;
		}
	}
#if defined(USED_AFTER_THE_SECTION)
	ret = foo_hw_submit(reg, count);
#endif
out:
#if defined(NO_WAY_OUT)
	if (ret)
		ret = foo_hw_submit(reg, 0);
#endif
	return ret;
}

void foo_hangcheck(struct work_struct *work)
{
	struct foo_device *foo = container_of(work, struct foo_device, hangcheck);

#if defined(GOES_ON)
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, pr_err("gone\n"));
#else
	drm_dev_ctx_or(foo_reg, reg, &foo->ctx, return);
#endif

	if (!foo_hw_ready())
		return;
	foo_hw_submit(reg, 0);
}
