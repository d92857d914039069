// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 36
// title: wait inside a section that nothing ends at unplug
// rust: no
// run: drm_dev_ctx.drm_dev_ctx_test_stuck: the report of a long unplug names the section
// run: drm_dev_ctx.drm_dev_ctx_test_completer_in_section: and what was refused a section since

#include <linux/completion.h>

#include "foo.h"

/* Either the wait has a limit, or what completes it needs no section. */
int foo_wait_idle(const struct foo_reg *reg, struct completion *idle)
{
	if (!wait_for_completion_timeout(idle, HZ))
		return -ETIMEDOUT;
	return foo_hw_submit(reg, 0);
}
