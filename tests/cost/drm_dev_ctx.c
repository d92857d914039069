// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The cost of a section: pairs of functions, by hand and with drm_dev_ctx.
 * scripts/cost.py compiles them with the kernel's flags and counts the
 * instructions from the start of each function to its first return, which is
 * the way through an entered section.
 */

#include "cost.h"

/* cost: ioctl 1: the proof is stored for the callee */
int ioctl_by_hand(struct drm_device *drm)
{
	int idx, ret = -ENODEV;

	if (likely(drm_dev_enter(drm, &idx))) {
		ret = hw_by_hand(drm);
		drm_dev_exit(idx);
	}
	return ret;
}

int ioctl_of_ours(struct drm_dev_ctx_ioctl *ioctl)
{
	drm_dev_ctx_or(cost_reg, reg, ioctl, return -ENODEV);

	return hw_with_proof(reg);
}

/* cost: normal 2: as above, and gcc first loads a variable that is read with acquire */
int normal_by_hand(struct drm_device *drm)
{
	int idx, ret = -ENODEV;

	if (likely(drm_dev_enter(drm, &idx))) {
		if (likely(drm->registered))
			ret = hw_by_hand(drm);
		drm_dev_exit(idx);
	}
	return ret;
}

int normal_of_ours(struct drm_device *drm)
{
	drm_dev_ctx_or(cost_reg, reg, to_drm_dev_ctx(drm), return -ENODEV);

	return hw_with_proof(reg);
}

/* cost: scope 0: the proof is not stored if only the device is used */
int scope_by_hand(struct drm_device *drm)
{
	int idx;

	if (unlikely(!drm_dev_enter(drm, &idx)))
		return -ENODEV;
	hw_by_hand(drm);
	drm_dev_exit(idx);
	return 0;
}

int scope_of_ours(struct drm_dev_ctx_ioctl *ioctl)
{
	drm_dev_ctx_guard(cost_reg, reg, ioctl) {
		hw_by_hand(&cost_reg_dev(reg)->ctx.drm);
		return 0;
	}
	return -ENODEV;
}

/* cost: weaken 0: a weaker context is the same pointer */
struct drm_device *weaken_by_hand(struct drm_device *drm)
{
	return drm;
}

struct cost_device *weaken_of_ours(struct drm_dev_ctx_ioctl *ioctl)
{
	return cost_dev(drm_dev_ctx_ioctl_drm(ioctl));
}
