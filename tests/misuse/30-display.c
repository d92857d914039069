// SPDX-License-Identifier: GPL-2.0-only OR MIT
// class: 30
// title: entry point races unbind: the display
// rust: no
// wrong: SECTION_IN_A_COMMIT C: foo_crtc_atomic_disable\(\) is skipped when the display is turned off
// wrong: SECTION_IN_A_HELPER C: foo_plane_off\(\) is skipped when the display is turned off
// run: drm_dev_ctx.drm_dev_ctx_test_if_bound: The block runs until quiesce has returned.

#include <drm/drm_atomic.h>
#include <drm/drm_crtc.h>
#include <drm/drm_modeset_helper_vtables.h>
#include <drm/drm_plane.h>

#include "foo.h"

void foo_hw_display_off(struct foo_device *foo);

static void foo_crtc_atomic_disable(struct drm_crtc *crtc, struct drm_atomic_commit *commit)
{
#if defined(SECTION_IN_A_COMMIT)
	drm_dev_ctx_guard(foo_reg, reg, to_drm_dev_ctx(crtc->dev))
		foo_hw_display_off(foo_reg_dev(reg));
#else
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(crtc->dev))
		foo_hw_display_off(foo_dev(drm_dev_ctx_live_drm(live)));
#endif
}

const struct drm_crtc_helper_funcs foo_crtc_helper_funcs = {
	.atomic_disable = foo_crtc_atomic_disable,
};

static void foo_plane_off(struct drm_plane *plane)
{
#if defined(SECTION_IN_A_HELPER)
	drm_dev_ctx_or(foo_reg, reg, to_drm_dev_ctx(plane->dev), return);

	foo_hw_display_off(foo_reg_dev(reg));
#else
	drm_dev_ctx_guard_live(live, to_drm_dev_ctx(plane->dev))
		foo_hw_display_off(foo_dev(drm_dev_ctx_live_drm(live)));
#endif
}

static void foo_plane_atomic_disable(struct drm_plane *plane, struct drm_atomic_commit *commit)
{
	foo_plane_off(plane);
}

const struct drm_plane_helper_funcs foo_plane_helper_funcs = {
	.atomic_disable = foo_plane_atomic_disable,
};
