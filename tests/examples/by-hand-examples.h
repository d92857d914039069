/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Declarations for the examples of by-hand.rst, see scripts/examples.py. */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>

#include "drm_dev_ctx.h"

#define FOO_DOORBELL_OFFSET	BIT_ULL(56)

struct foo_device {
	struct drm_dev_ctx ctx;
	struct mutex sleep_lock;	/* held while @asleep is asked and set */
	bool asleep;
};

struct foo_hw {
	struct drm_dev_ctx_data base;
	phys_addr_t doorbell;
};

struct foo_reg {
	struct drm_dev_ctx_reg base;
};

static inline struct foo_hw *foo_reg_hw(const struct foo_reg *reg)
{
	return container_of(drm_dev_ctx_reg_data(&reg->base), struct foo_hw, base);
}
